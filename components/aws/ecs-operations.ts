/** What is asked of a preview on ECS outside Pulumi: where it is, whether it runs, and to sleep or wake. */
import { setTimeout as delay } from "node:timers/promises";
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  paginateListServices,
  type Service,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { GetScheduleCommand, paginateListSchedules, UpdateScheduleCommand } from "@aws-sdk/client-scheduler";
import { DiscoverInstancesCommand } from "@aws-sdk/client-servicediscovery";
import { StacklingError } from "../errors.ts";
import type { OperationContext, Operations } from "../ports.ts";
import { type Clients, rememberClients } from "./clients.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { ask, isMissing } from "./errors.ts";
import { explainCapacity, explainTask } from "./explain.ts";
import { unlessMissing } from "./kinds.ts";
import { discoveryName, readThingName, thingName } from "./names.ts";

type Context = OperationContext<EcsOptions>;

/** Fargate takes a minute or two for a machine and the image. */
const WAKE_WITHIN_MS = 5 * 60_000;
const WAKE_LOOK_MS = 1_000;
type Asked = "address" | "setAwake" | "isAwake" | "explain";

/** The gateway asks for addresses all the time, so clients are kept from one question to the next. */
export function createEcsOperations(): Required<Pick<Operations<EcsOptions>, Asked>> {
  const clientsOf = rememberClients();
  // `clientsOf` throws for a credential that is not there; who asks is told by the promise, as of any other failure.
  return {
    address: async (context, name) => address(clientsOf(context.options), context, name),
    setAwake: async (context, awake, signal) => setAwake(clientsOf(context.options), context, awake, signal),
    isAwake: async (context) => isAwake(clientsOf(context.options), context),
    explain: async (context) => explain(clientsOf(context.options), context),
  };
}

/** Private `host:port` of a healthy task, or the private name where the options say so; undefined while nothing listens. */
async function address(clients: Clients, { options, stack }: Context, name: string): Promise<string | undefined> {
  return ask(`finding service "${name}"`, async () => {
    const port = await portOf(clients, options.cluster, thingName(stack, name));
    if (port === undefined) return undefined;
    const host = discoveryName(stack, name);
    if (options.discovery === "dns") return `${host}.${options.namespace.name}:${port}`;
    const question = new DiscoverInstancesCommand({
      NamespaceName: options.namespace.name,
      ServiceName: host,
      HealthStatus: "HEALTHY",
    });
    const found = await unlessMissing(clients.discovery.send(question), undefined);
    const ip = found?.Instances?.map(({ Attributes = {} }) => Attributes.AWS_INSTANCE_IPV4).find(
      (known) => known !== undefined,
    );
    return ip === undefined ? undefined : `${ip}:${port}`;
  });
}

/**
 * One task of each service, or none; schedules fire or do not. Waking resolves once what was woken can be
 * reached, and rejects when `signal` aborts before.
 */
async function setAwake(clients: Clients, context: Context, awake: boolean, signal?: AbortSignal): Promise<void> {
  const { options, stack } = context;
  await ask(awake ? "waking the preview" : "putting the preview to sleep", async () => {
    for (const { serviceArn, desiredCount = 0 } of await servicesOf(clients, options.cluster, stack)) {
      const count = awake ? Math.max(1, desiredCount) : 0;
      if (count === desiredCount) continue;
      await clients.ecs.send(
        new UpdateServiceCommand({ cluster: options.cluster, service: serviceArn, desiredCount: count }),
      );
    }
    await setSchedules(clients, stack, awake ? "ENABLED" : "DISABLED");
    if (awake) await awaitServing(clients, context, signal);
  });
}

async function awaitServing(clients: Clients, context: Context, signal?: AbortSignal): Promise<void> {
  const until = performance.now() + WAKE_WITHIN_MS;
  while (!(await isServing(clients, context))) {
    if (performance.now() > until) {
      const why = (await explain(clients, context)) ?? "its services are not healthy yet";
      throw new StacklingError({ reason: "StartFailed", userMessage: `waking the preview: ${why}` });
    }
    await delay(WAKE_LOOK_MS, undefined, { signal });
  }
}

/** Its tasks run and, where the gateway asks Cloud Map for them, are healthy there. */
async function isServing(clients: Clients, context: Context): Promise<boolean> {
  const { options, stack } = context;
  const services = await servicesOf(clients, options.cluster, stack);
  if (!services.every(runs)) return false;
  const found = services
    .filter(({ serviceRegistries = [] }) => serviceRegistries.length > 0)
    .map(({ serviceName = "" }) => address(clients, context, readThingName(serviceName)?.part ?? ""));
  return (await Promise.all(found)).every((known) => known !== undefined);
}

function runs({ desiredCount = 0, runningCount = 0 }: Service): boolean {
  return desiredCount > 0 && runningCount >= desiredCount;
}

/** True when each service runs as often as it should, and at least once. */
async function isAwake(clients: Clients, { options, stack }: Context): Promise<boolean> {
  const services = await ask("looking at the preview", () => servicesOf(clients, options.cluster, stack));
  return services.every(runs);
}

/** The first service that does not run, and why. */
async function explain(clients: Clients, { options, stack }: Context): Promise<string | undefined> {
  return ask("looking at the preview", async () => {
    const services = await servicesOf(clients, options.cluster, stack);
    if (services.length > 0 && services.every(({ desiredCount }) => desiredCount === 0)) return "it is asleep";
    for (const service of services) {
      const { serviceName = "", desiredCount = 0, runningCount = 0 } = service;
      if (runningCount >= desiredCount) continue;
      const name = readThingName(serviceName)?.part ?? serviceName;
      const why = (await lastFailure(clients, options.cluster, serviceName)) ?? explainCapacity(service)?.words;
      return `service "${name}" does not run: ${why ?? "it is being started"}`;
    }
    return undefined;
  });
}

/** Containers' ports lie in the task definition, the service's own container first. */
async function portOf({ ecs }: Clients, cluster: string, service: string): Promise<number | undefined> {
  const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
  const found = services.find(({ status }) => status === "ACTIVE");
  if (!found || found.desiredCount === 0 || found.taskDefinition === undefined) return undefined;
  const { taskDefinition } = await ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: found.taskDefinition }),
  );
  return taskDefinition?.containerDefinitions?.[0]?.portMappings?.[0]?.containerPort;
}

/** The API describes ten at once: API reference, "DescribeServices". */
async function servicesOf({ ecs }: Pick<Clients, "ecs">, cluster: string, stack: string): Promise<Service[]> {
  const arns: string[] = [];
  try {
    for await (const { serviceArns = [] } of paginateListServices({ client: ecs, pageSize: 100 }, { cluster })) {
      arns.push(...serviceArns.filter((arn) => readThingName(arn.split("/").at(-1) ?? "")?.stack === stack));
    }
  } catch (failure) {
    if (isMissing(failure)) return [];
    throw failure;
  }
  const found: Service[] = [];
  for (let at = 0; at < arns.length; at += 10) {
    const { services = [] } = await ecs.send(
      new DescribeServicesCommand({ cluster, services: arns.slice(at, at + 10) }),
    );
    found.push(...services.filter(({ status }) => status === "ACTIVE"));
  }
  return found;
}

/** An update of a schedule replaces all of it, so it is read first. */
async function setSchedules({ scheduler }: Clients, stack: string, State: "ENABLED" | "DISABLED"): Promise<void> {
  try {
    for await (const { Schedules = [] } of paginateListSchedules({ client: scheduler }, { GroupName: stack })) {
      for (const { Name } of Schedules.filter((schedule) => schedule.State !== State)) {
        const {
          Arn: _a,
          CreationDate: _c,
          LastModificationDate: _l,
          $metadata: _m,
          ...known
        } = await scheduler.send(new GetScheduleCommand({ GroupName: stack, Name }));
        await scheduler.send(
          new UpdateScheduleCommand({
            ...known,
            Name,
            ScheduleExpression: known.ScheduleExpression,
            FlexibleTimeWindow: known.FlexibleTimeWindow,
            Target: known.Target,
            State,
          }),
        );
      }
    }
  } catch (failure) {
    if (!isMissing(failure)) throw failure;
  }
}

async function lastFailure({ ecs }: Clients, cluster: string, serviceName: string): Promise<string | undefined> {
  const { taskArns: tasks = [] } = await ecs.send(
    new ListTasksCommand({ cluster, serviceName, desiredStatus: "STOPPED", maxResults: 20 }),
  );
  if (tasks.length === 0) return undefined;
  const found = await ecs.send(new DescribeTasksCommand({ cluster, tasks }));
  const newest = (found.tasks ?? []).sort((a, b) => Number(b.stoppedAt ?? 0) - Number(a.stoppedAt ?? 0))[0];
  return newest && explainTask(newest)?.words;
}
