/** The resources a preview on ECS is made of, each with its fixed name. */
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { LogStream } from "@pulumi/aws/cloudwatch/logStream.js";
import { Service } from "@pulumi/aws/ecs/service.js";
import { TaskDefinition } from "@pulumi/aws/ecs/taskDefinition.js";
import { Secret } from "@pulumi/aws/secretsmanager/secret.js";
import { SecretVersion } from "@pulumi/aws/secretsmanager/secretVersion.js";
import { Service as DiscoveryService } from "@pulumi/aws/servicediscovery/service.js";
import { type CustomResourceOptions, type Input, jsonStringify, type Output, secret } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { ServiceDefinition } from "../ports.ts";
import { portOf } from "./containers.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { discoveryName, logGroupName, secretName, thingName } from "./names.ts";
import type { PreviewRole } from "./roles.ts";
import { fargateSize } from "./sizes.ts";

export interface Roles {
  readonly execution: PreviewRole;
  readonly task: PreviewRole;
}

/** Where a preview's log lines go; goes with it. */
export function makeLogGroup(
  name: string,
  stack: string,
  { logRetentionDays }: EcsOptions,
  opts: CustomResourceOptions,
): LogGroup {
  return new LogGroup(name, { name: logGroupName(stack), retentionInDays: logRetentionDays }, opts);
}

/** One secret with every hidden setting; deleted at once, so that its name is free for the next preview. */
export function makeSecret(
  name: string,
  { stack, part, text }: { readonly stack: string; readonly part: string; readonly text: Input<string> },
  opts: { readonly secret: CustomResourceOptions; readonly child: CustomResourceOptions },
): { readonly arn: Output<string>; readonly version: Output<string> } {
  const made = new Secret(name, { name: secretName(stack, part), recoveryWindowInDays: 0 }, opts.secret);
  const version = new SecretVersion(name, { secretId: made.id, secretString: secret(text) }, opts.child);
  return { arn: made.arn, version: version.versionId };
}

export interface TaskDefinitionInput {
  readonly stack: string;
  readonly part: string;
  /** The application's word for it. */
  readonly what: string;
  readonly size: { readonly cpu: number; readonly memoryMiB: number };
  readonly containers: Output<readonly object[]>;
  /** Ephemeral ones, by name. */
  readonly volumes?: readonly string[];
  readonly options: EcsOptions;
  readonly roles: Roles;
}

/** Throws `TerminalError` (`SpecInvalid`) for a size that Fargate has not. */
export function makeTaskDefinition(
  name: string,
  input: TaskDefinitionInput,
  opts: CustomResourceOptions,
): TaskDefinition {
  const { stack, part, what, size, containers, volumes, options, roles } = input;
  const fitting = fargateSize(size);
  if (!fitting) {
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `sizing "${what}": Fargate has nothing as large as ${size.cpu} CPU with ${size.memoryMiB} MiB`,
    });
  }
  return new TaskDefinition(
    name,
    {
      family: thingName(stack, part),
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: String(fitting.cpuUnits),
      memory: String(fitting.memoryMiB),
      runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: options.architecture },
      executionRoleArn: roles.execution.arn,
      taskRoleArn: roles.task.arn,
      containerDefinitions: jsonStringify(containers),
      ...(volumes && { volumes: volumes.map((volume) => ({ name: volume })) }),
    },
    { ...opts, dependsOn: [...roles.execution.needs, ...roles.task.needs] },
  );
}

export interface ServiceInput {
  readonly stack: string;
  readonly service: ServiceDefinition;
  readonly options: EcsOptions;
  /** Resolves once what it depends on is ready. */
  readonly taskDefinition: Input<string>;
  readonly roles: Roles;
  /** Present behind a shared load balancer. */
  readonly targetGroup?: Input<string>;
}

/**
 * The service with its private name. How many run is no part of the stack; the old version serves
 * until the new one is healthy, and comes back by the circuit breaker when it is not.
 */
export function makeService(
  name: string,
  input: ServiceInput,
  opts: { readonly service: CustomResourceOptions; readonly discovery: CustomResourceOptions },
): Service {
  const { stack, service, options, taskDefinition, roles, targetGroup } = input;
  const port = portOf(service);
  const registry = port === undefined ? undefined : makeDiscovery(name, input, opts.discovery);
  return new Service(
    name,
    {
      name: thingName(stack, service.name),
      cluster: options.cluster,
      taskDefinition,
      desiredCount: 1,
      capacityProviderStrategies: [
        { capacityProvider: options.capacity === "spot" ? "FARGATE_SPOT" : "FARGATE", weight: 1 },
      ],
      networkConfiguration: {
        subnets: options.subnets,
        securityGroups: options.securityGroups,
        assignPublicIp: options.publicIp,
      },
      // Or another capacity would replace the service: the provider's docs, `capacityProviderStrategies`.
      forceNewDeployment: true,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      ...(registry && { serviceRegistries: { registryArn: registry.arn } }),
      ...(targetGroup !== undefined && {
        loadBalancers: [{ targetGroupArn: targetGroup, containerName: service.name, containerPort: port ?? 80 }],
        healthCheckGracePeriodSeconds: Math.ceil(service.startTimeoutSeconds),
      }),
      propagateTags: "SERVICE",
      enableEcsManagedTags: true,
      forceDelete: true,
      // Our own waiting tells why, see steady.ts.
      waitForSteadyState: false,
    },
    {
      ...opts.service,
      ignoreChanges: ["desiredCount"],
      // ECS drains with the execution role: it must not go before the service.
      dependsOn: [...roles.execution.needs, ...roles.task.needs],
    },
  );
}

/** Cloud Map learns from ECS which tasks are healthy. */
function makeDiscovery(
  name: string,
  { stack, service, options }: ServiceInput,
  opts: CustomResourceOptions,
): DiscoveryService {
  return new DiscoveryService(
    name,
    {
      name: discoveryName(stack, service.name),
      dnsConfig: {
        namespaceId: options.namespace.id,
        routingPolicy: "MULTIVALUE",
        dnsRecords: [{ type: "A", ttl: 5 }],
      },
      healthCheckCustomConfig: { failureThreshold: 1 },
      forceDestroy: true,
    },
    opts,
  );
}

/** Stands for "this was done"; see one-off-task.ts. */
export function makeDoneMark(
  name: string,
  logGroup: LogGroup,
  stream: Output<string>,
  opts: CustomResourceOptions,
): LogStream {
  return new LogStream(name, { logGroupName: logGroup.name, name: stream }, opts);
}
