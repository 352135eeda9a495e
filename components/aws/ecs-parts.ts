/** The parts of one preview on ECS: tasks that run once, services, schedules and the way in. */
import { all, type Output, output } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { ServiceDefinition, TaskDefinition } from "../ports.ts";
import { flagFileVariables } from "../service/flags.ts";
import { commitOf } from "../service/sources.ts";
import { isGate, taskKey, taskWords } from "../service/tasks.ts";
import { awaited } from "./awaited.ts";
import { container, FLAGS_PATH, FLAGS_VOLUME, requireImage, serviceContainers } from "./containers.ts";
import { claimed, type EcsBuild, taskSettings } from "./ecs-build.ts";
import { clusterArn } from "./ecs-cluster.ts";
import { directEdge } from "./ecs-options.ts";
import { makeDoneMark, makeService, makeTaskDefinition } from "./ecs-resources.ts";
import { addToEdge } from "./edge.ts";
import { type ListenerState, readListener } from "./listener.ts";
import { discoveryName, logGroupName, targetGroupName, thingName } from "./names.ts";
import { doneStream, type OneOffTask, runOnce } from "./one-off-task.ts";
import { schedulerRole } from "./roles.ts";
import { makeSchedules } from "./schedules.ts";
import { type Environment, partEnvironment, plainSettings, secretSettings } from "./settings.ts";
import { awaitSteady } from "./steady.ts";

/** ARN of a task definition that may be used once the Output resolves. */
export type Version = Output<string>;

/** A migration may need more than the application itself. */
const TASK_SIZE = { cpu: 0.5, memoryMiB: 1024 };

/** `value`, but not before all of `others`. */
export function after<T>(value: Output<T>, others: readonly Output<unknown>[]): Output<T> {
  return all([value, ...others]).apply(([known]) => known as T) as Output<T>;
}

/** The version of one service as it shall run. */
export function defineService(build: EcsBuild, service: ServiceDefinition): Version {
  const { args, name } = build;
  const { stack, options, generation, flags } = args;
  const checked = service.kind === "web" && !directEdge(options);
  const found = flags === undefined ? {} : flagFileVariables(FLAGS_PATH);
  const environment = { ...found, ...service.environment };
  const containers = settingsOf(build, { ...service, environment }).apply((settings) =>
    serviceContainers(service, { options, logGroup: logGroupName(stack), settings, flags, generation }, checked),
  );
  const { execution, task } = build.roles;
  const made = makeTaskDefinition(
    name(`service-${service.name}`),
    {
      stack,
      part: service.name,
      what: service.name,
      size: service,
      containers,
      options,
      roles: { execution, task },
      ...(flags === undefined ? {} : { volumes: [FLAGS_VOLUME] }),
    },
    build.child,
  );
  return made.arn;
}

/** Runs the service and resolves once it is steady. */
export function startService(
  build: EcsBuild,
  service: ServiceDefinition,
  version: Version,
  edge?: Output<ListenerState>,
): Output<string> {
  const { args, clients, pace, name } = build;
  const { stack, options } = args;
  const targetGroup = edge && routeToService(build, service, edge);
  const made = makeService(
    name(`service-${service.name}`),
    { stack, service, options, taskDefinition: version, roles: build.roles, ...(targetGroup && { targetGroup }) },
    {
      service: claimed(build, { kind: "ecs service", name: thingName(stack, service.name) }),
      discovery: claimed(build, { kind: "private name", name: discoveryName(stack, service.name) }),
    },
  );
  const expected = {
    name: service.name,
    cluster: options.cluster,
    service: thingName(stack, service.name),
    startTimeoutSeconds: service.startTimeoutSeconds,
    logGroup: logGroupName(stack),
  };
  return awaited(pace, {
    value: all([made.id, version, build.hidden]),
    work: async ([id, taskDefinition, secrets]) => {
      await awaitSteady({ ...clients, pace }, { ...expected, taskDefinition, secrets });
      return id;
    },
    instead: "",
  });
}

/** Migrations and seeds, one after the other; each resolves once it went well, now or before. */
export function runTasks(build: EcsBuild): Output<string>[] {
  const made: Output<string>[] = [];
  for (const task of build.args.tasks) if (!isGate(task)) made.push(runTask(build, task, [...made]));
  return made;
}

/** The gate, once all services serve. */
export function runGates(build: EcsBuild, behind: readonly Output<string>[]): Output<string>[] {
  return build.args.tasks.filter(isGate).map((task) => runTask(build, task, behind));
}

/** A `job` belongs to its commit and generation, as its release does elsewhere. */
export function runJob(build: EcsBuild, service: ServiceDefinition, version: Version): Output<string> {
  const { generation, stack } = build.args;
  return once(build, version, {
    name: service.name,
    part: `service-${service.name}`,
    key: output(["job", service.name, commitOf(build.args, service), generation].join("/")),
    family: thingName(stack, service.name),
    reason: "StartFailed",
    action: `running job "${service.name}"`,
  });
}

/** Undefined where the gateway is the edge. */
export function readEdge({ args, clients, pace }: EcsBuild): Output<ListenerState> | undefined {
  const { stack, options, urls } = args;
  const direct = directEdge(options);
  if (!direct) return undefined;
  const rules = Object.entries(urls).map(([service, url]) => ({ service, host: new URL(url).hostname }));
  const { listener, maximum } = direct;
  return awaited(pace, {
    value: output(rules),
    work: (known) => readListener(clients, { listener, maximum, stack, rules: known }),
    instead: { edge: "", priorities: {} },
  });
}

/** Every `cron` service of the preview. */
export function scheduleCrons(
  build: EcsBuild,
  crons: readonly { readonly service: ServiceDefinition; readonly version: Version }[],
): void {
  const { args, clients, name, child } = build;
  const { stack, options } = args;
  const cluster = awaited(build.pace, {
    value: output(options.cluster),
    work: (known) => clusterArn(clients, known),
    instead: "",
  });
  const role = schedulerRole(
    name("scheduler"),
    { stack, options },
    {
      run: crons.map(({ version }) => version),
      pass: [build.roles.execution.arn, build.roles.task.arn],
      cluster: options.cluster,
    },
    { role: claimed(build, { kind: "role", name: thingName(stack, "scheduler", 64) }), child },
  );
  makeSchedules(
    name("schedules"),
    {
      stack,
      options,
      clusterArn: cluster,
      role: after(
        role.arn,
        role.needs.map(({ urn }) => urn),
      ),
      crons,
    },
    { group: claimed(build, { kind: "schedule group", name: stack }), child },
  );
}

function runTask(build: EcsBuild, task: TaskDefinition, before: readonly Output<string>[]): Output<string> {
  const { args, name, child } = build;
  const { stack, options, generation } = args;
  const part = `task_${task.name}`;
  const definition = { name: task.name, image: requireImage(task), command: task.command, directory: task.directory };
  const containers = settingsOf(build, taskSettings(args, task)).apply((settings) => [
    container(definition, task.name, { options, logGroup: logGroupName(stack), settings, generation }),
  ]);
  const made = makeTaskDefinition(
    name(`task-${task.name}`),
    { stack, part, what: task.name, size: TASK_SIZE, containers, options, roles: build.roles },
    child,
  );
  const words = taskWords(task.name);
  return once(build, after(made.arn, before), {
    name: task.name,
    part: `task-${task.name}`,
    key: taskKey(args, task),
    family: thingName(stack, part),
    reason: words.reason,
    action: words.doing,
    ...(task.timeoutSeconds === undefined ? {} : { timeoutSeconds: task.timeoutSeconds }),
  });
}

type Once = Pick<OneOffTask, "name" | "family" | "reason" | "action" | "timeoutSeconds"> & {
  readonly key: Output<string>;
  readonly part: string;
};

/** The mark in the log group is what keeps the next run from doing it again. */
function once(build: EcsBuild, version: Version, { key, part, ...task }: Once): Output<string> {
  const { args, clients, pace, name, logGroup, hidden, child } = build;
  const { options } = args;
  const preview = key.apply((known) => doneStream({ name: task.name, key: known }));
  const done = awaited(pace, {
    value: all([key, version, logGroup.name, hidden]),
    work: ([known, taskDefinition, group, secrets]): Promise<string | undefined> =>
      runOnce({ ...clients, pace }, { ...task, key: known, taskDefinition, logGroup: group, options, secrets }),
    instead: undefined,
  });
  const stream = all([preview, done]).apply(([planned, known]) => known ?? planned);
  return makeDoneMark(name(part), logGroup, stream, child).name;
}

function settingsOf(build: EcsBuild, whose: Environment) {
  const { args, own, addresses } = build;
  const parted = partEnvironment(whose, args.secretReferences);
  const plain = plainSettings(args, whose, parted.plain, addresses);
  return secretSettings(whose, parted, own).apply((secret) => ({ plain, secret }));
}

function routeToService(
  build: EcsBuild,
  service: ServiceDefinition,
  state: Output<ListenerState>,
): Output<string> | undefined {
  const { args, child, name } = build;
  const { stack, urls, options } = args;
  const direct = directEdge(options);
  const url = urls[service.name];
  if (!direct || url === undefined) return undefined;
  if (service.kind !== "web") {
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `leading "${url}" to "${service.name}": it is a ${service.kind}, not a web service`,
    });
  }
  return addToEdge(
    name(`service-${service.name}`),
    { stack, service, host: new URL(url).hostname, direct, state },
    { group: claimed(build, { kind: "target group", name: targetGroupName(stack, service.name) }), child },
  );
}
