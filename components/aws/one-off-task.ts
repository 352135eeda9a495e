/** Commands that run once for what they are about: migrations, seeds and jobs. */
import { DescribeLogStreamsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeTasksCommand,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
} from "@aws-sdk/client-ecs";
import { StacklingError, TerminalError } from "../errors.ts";
import { withTaskFailure } from "../service/task-failure.ts";
import type { Clients } from "./clients.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { ask, isMissing } from "./errors.ts";
import { explainTask, lastLines } from "./explain.ts";
import { hash } from "./names.ts";
import { type Pace, pauses } from "./pace.ts";

export interface OneOffTask {
  /** `migrate`, `seed` or a job's name; also the first part of its log streams' names. */
  readonly name: string;
  /** What it runs for: once it went well, it never runs again for the same. */
  readonly key: string;
  readonly family: string;
  readonly taskDefinition: string;
  readonly logGroup: string;
  /** Condition's reason when it fails. */
  readonly reason: string;
  /** What is being done, such as `migrating the database`. */
  readonly action: string;
  readonly options: Pick<EcsOptions, "cluster" | "subnets" | "securityGroups" | "publicIp">;
  /** From its start; absent: fifteen minutes. */
  readonly timeoutSeconds?: number;
  /** Kept out of messages. */
  readonly secrets: readonly string[];
}

type Deps = Pick<Clients, "ecs" | "logs"> & { readonly pace: Pace };

/** As long as a local one. */
const LIMIT_MS = 15 * 60_000;
const ROLE_MS = 60_000;
/** What a task needs before its command runs. */
const START_MS = 120_000;

/** Name of the log stream that stands for "this was done"; it goes with the preview's log group. */
export function doneStream({ name, key }: Pick<OneOffTask, "name" | "key">): string {
  return `=done/${name}/${hash(key, 32)}`;
}

/**
 * Runs it unless it went well before, and resolves with `doneStream` once it has. Killed in the
 * middle and asked again, it waits for the task that is under way: that one bears the key as
 * `startedBy`, and a token of it keeps two askers from starting two. Errors: `reason` of the task with
 * its last log lines; `CapacityUnavailable` when AWS has no room.
 */
export async function runOnce(deps: Deps, task: OneOffTask): Promise<string> {
  const done = doneStream(task);
  if (await isRecorded(deps, task, done)) return done;
  const before = await startedBefore(deps, task);
  if (before.some(succeeded)) return done;
  const running = before.find(({ lastStatus }) => lastStatus !== "STOPPED");
  await deps.pace.say(`${task.action}`);
  const ended = await ending(deps, task, running?.taskArn ?? (await start(deps, task, before.length)));
  if (succeeded(ended)) return done;
  const why = explainTask(ended);
  const excerpt = await lastLines(deps, { ...task, stream: task.name, task: ended.taskArn });
  const userMessage = `${task.action}: ${why?.words ?? "it was stopped"}`;
  // What AWS lacks may be there later; what the commit lacks will not.
  if (why?.reason === "StartFailed") {
    const told = { output: excerpt.join("\n"), secrets: task.secrets };
    const words = withTaskFailure(userMessage, task.reason, told);
    throw new TerminalError({ reason: task.reason, userMessage: words, excerpt });
  }
  throw new StacklingError({ reason: why?.reason ?? task.reason, userMessage, excerpt });
}

async function isRecorded({ logs }: Deps, { logGroup, action }: OneOffTask, stream: string): Promise<boolean> {
  return ask(`${action}: asking whether it was done`, async () => {
    try {
      const answer = await logs.send(
        new DescribeLogStreamsCommand({ logGroupName: logGroup, logStreamNamePrefix: stream, limit: 1 }),
      );
      return (answer.logStreams ?? []).some(({ logStreamName }) => logStreamName === stream);
    } catch (failure) {
      if (isMissing(failure)) return false;
      throw failure;
    }
  });
}

/** AWS remembers stopped tasks for an hour at least: API reference, "DescribeTasks". */
async function startedBefore(
  { ecs }: Deps,
  { key, family, action, options: { cluster } }: OneOffTask,
): Promise<Task[]> {
  return ask(`${action}: looking for earlier attempts`, async () => {
    const listed = await Promise.all(
      (["RUNNING", "STOPPED"] as const).map((desiredStatus) =>
        ecs.send(new ListTasksCommand({ cluster, family, desiredStatus, maxResults: 100 })),
      ),
    );
    const tasks = listed.flatMap(({ taskArns = [] }) => taskArns);
    if (tasks.length === 0) return [];
    const found = await ecs.send(new DescribeTasksCommand({ cluster, tasks: tasks.slice(0, 100) }));
    return (found.tasks ?? []).filter(({ startedBy }) => startedBy === hash(key, 32));
  });
}

async function start(deps: Deps, task: OneOffTask, attempt: number): Promise<string> {
  const { key, action, taskDefinition, options } = task;
  const token = hash(key, 32);
  const request = new RunTaskCommand({
    cluster: options.cluster,
    taskDefinition,
    // Never on spot: half a migration is worse than a dear one.
    launchType: "FARGATE",
    startedBy: token,
    clientToken: `${token}-${attempt}`,
    propagateTags: "TASK_DEFINITION",
    networkConfiguration: { awsvpcConfiguration: network(options) },
  });
  const answer = await ask(action, () => onceAssumable(deps, action, () => deps.ecs.send(request)));
  const arn = answer.tasks?.[0]?.taskArn;
  if (arn !== undefined) return arn;
  const why = answer.failures?.[0]?.reason ?? "AWS started nothing";
  throw new StacklingError({ reason: "CapacityUnavailable", userMessage: `${action}: ${why}` });
}

/** A role that was just made is not known everywhere for some seconds: IAM user guide, "Changes that I make are not always immediately visible". */
async function onceAssumable<T>({ pace }: Deps, action: string, work: () => Promise<T>): Promise<T> {
  let last: unknown;
  for await (const _ of pauses(pace, { limitMs: ROLE_MS, what: action })) {
    try {
      return await work();
    } catch (failure) {
      last = failure;
      if (!(failure instanceof Error && /unable to assume the role/i.test(failure.message))) throw failure;
    }
  }
  throw last;
}

/** As the API takes it; the provider's form is its own. */
function network({ subnets, securityGroups, publicIp }: OneOffTask["options"]) {
  return { subnets, securityGroups, assignPublicIp: publicIp ? ("ENABLED" as const) : ("DISABLED" as const) };
}

async function ending(
  { ecs, pace }: Deps,
  { action, reason, timeoutSeconds, options: { cluster } }: OneOffTask,
  arn: string,
): Promise<Task> {
  const limitMs = timeoutSeconds === undefined ? LIMIT_MS : START_MS + timeoutSeconds * 1000;
  for await (const _ of pauses(pace, { limitMs, what: action })) {
    const found = await ask(action, () => ecs.send(new DescribeTasksCommand({ cluster, tasks: [arn] })));
    const task = found.tasks?.[0];
    if (!task)
      throw new StacklingError({
        reason: "AwsFailed",
        userMessage: `${action}: AWS knows nothing of the task any more`,
      });
    if (task.lastStatus === "STOPPED") return task;
  }
  if (timeoutSeconds !== undefined) {
    await ecs.send(new StopTaskCommand({ cluster, task: arn, reason: "it took too long" }));
    throw new TerminalError({ reason, userMessage: `${action}: it did not end within ${timeoutSeconds} s` });
  }
  throw new StacklingError({
    reason: "StartFailed",
    userMessage: `${action}: it did not end within ${LIMIT_MS / 60_000} minutes`,
  });
}

function succeeded({ lastStatus, containers = [] }: Task): boolean {
  return lastStatus === "STOPPED" && containers.length > 0 && containers.every(({ exitCode }) => exitCode === 0);
}
