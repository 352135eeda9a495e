import { Service } from "@pulumi/aws/ecs/service.js";
import { TaskDefinition } from "@pulumi/aws/ecs/taskDefinition.js";
import { type Input, jsonStringify, type Output } from "@pulumi/pulumi";
import type { AwsPlatformArgs, Site } from "./aws.ts";
import type { Entrance } from "./aws-entrance.ts";
import type { Roles } from "./aws-roles.ts";
import { GRACE_SECONDS, PORT, USER } from "./install.ts";

interface ServiceArgs extends Omit<AwsPlatformArgs, "configuration"> {
  readonly configuration: Output<string>;
  readonly cluster: Input<string>;
  /** Name of the log group. */
  readonly logs: Input<string>;
  readonly roles: Roles;
  readonly entrance: Entrance;
}

/** Fargate has no files to mount: the configuration comes as a variable and is written where `serve` reads it. */
const START = [
  'printf "%s" "$STACKLING_CONFIGURATION" > /tmp/stackling.yaml',
  `exec stackling serve --config /tmp/stackling.yaml --host 0.0.0.0 --port ${PORT}`,
].join(" && ");

/** The service's replicas behind the load balancer. What must survive a task lies in store and bucket. */
export function createService({ name, childName, parent }: Site, args: ServiceArgs): void {
  const { roles, entrance } = args;
  const task = new TaskDefinition(
    childName("task"),
    {
      family: name,
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: String(args.cpu),
      memory: String(args.memoryMiB),
      executionRoleArn: roles.execution,
      taskRoleArn: roles.task,
      ephemeralStorage: { sizeInGib: 40 },
      volumes: [{ name: "data" }, { name: "tmp" }],
      containerDefinitions: jsonStringify([container(args)]),
    },
    { parent },
  );
  new Service(
    childName("service"),
    {
      name,
      cluster: args.cluster,
      taskDefinition: task.arn,
      launchType: "FARGATE",
      desiredCount: args.replicas,
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      healthCheckGracePeriodSeconds: 180,
      enableExecuteCommand: false,
      propagateTags: "SERVICE",
      networkConfiguration: {
        subnets: [...args.privateSubnetIds],
        securityGroups: [entrance.serviceGroup.id],
        assignPublicIp: false,
      },
      loadBalancers: [{ targetGroupArn: entrance.targets.arn, containerName: "stackling", containerPort: PORT }],
    },
    { parent, dependsOn: [entrance.listener, ...roles.needs] },
  );
}

function container({ image, configuration, logs, region, secretNames, roles }: ServiceArgs) {
  return {
    name: "stackling",
    image,
    essential: true,
    entryPoint: ["/usr/bin/tini", "--", "sh", "-c"],
    command: [START],
    user: `${USER}:${USER}`,
    readonlyRootFilesystem: true,
    stopTimeout: GRACE_SECONDS,
    portMappings: [{ containerPort: PORT, protocol: "tcp" }],
    environment: [
      { name: "STACKLING_CONFIGURATION", value: configuration },
      { name: "AWS_REGION", value: region },
    ],
    // By version, so that a new value rolls the tasks.
    secrets: secretNames.map((name) => ({ name, valueFrom: roles.secret(name) })),
    mountPoints: [
      { sourceVolume: "data", containerPath: "/data", readOnly: false },
      { sourceVolume: "tmp", containerPath: "/tmp", readOnly: false },
    ],
    linuxParameters: { capabilities: { drop: ["ALL"] } },
    logConfiguration: {
      logDriver: "awslogs",
      options: { "awslogs-group": logs, "awslogs-region": region, "awslogs-stream-prefix": "stackling" },
    },
  };
}
