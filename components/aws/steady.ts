/** Waiting until a service runs its new version, or says why it does not. */
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  type Service,
  type Task,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { StacklingError, TerminalError } from "../errors.ts";
import type { Clients } from "./clients.ts";
import { ask } from "./errors.ts";
import { type Explanation, explainCapacity, explainTask, lastLines } from "./explain.ts";
import { type Pace, pauses } from "./pace.ts";

export interface Expected {
  /** The application's word for it. */
  readonly name: string;
  readonly cluster: string;
  readonly service: string;
  /** ARN of the version that shall run. */
  readonly taskDefinition: string;
  readonly startTimeoutSeconds: number;
  readonly logGroup: string;
  /** Kept out of messages. */
  readonly secrets: readonly string[];
}

type Deps = Pick<Clients, "ecs" | "logs"> & { readonly pace: Pace };

/** What AWS needs around a start: a machine, the image, the end of the old version. */
const AROUND_MS = 6 * 60_000;
/** The second failure is no accident. */
const FAILURES = 2;

/**
 * Resolves once the service runs `taskDefinition` and nothing older. Wakes a sleeping one, and starts
 * the version once more where the circuit breaker had rolled an earlier run of it back. A failure is
 * told as soon as it is clear; the breaker then keeps or brings back the old version.
 * Errors: `ImagePullFailed`, `StartFailed`, `HealthCheckFailed`, `SecretMissing`, `CapacityUnavailable`.
 */
export async function awaitSteady(deps: Deps, expected: Expected): Promise<void> {
  const what = `starting service "${expected.name}"`;
  const limitMs = AROUND_MS + expected.startTimeoutSeconds * 1000;
  let seen = false;
  let last: Service | undefined;
  for await (const round of pauses(deps.pace, { limitMs, what })) {
    last = await describe(deps, expected, what);
    const primary = (last.deployments ?? []).find(({ status }) => status === "PRIMARY");
    const wished = primary?.taskDefinition === expected.taskDefinition;
    if (last.desiredCount === 0 || (!wished && !seen && round === 0)) {
      await nudge(deps, expected, what);
      continue;
    }
    if (isSteady(last, expected)) return;
    seen ||= wished;
    const failed = primary?.rolloutState === "FAILED" || (seen && !wished);
    const found = await failures(deps, expected, wished ? primary?.id : undefined);
    const decided = failed || found.length >= FAILURES || found.some(({ why }) => why.reason === "ImagePullFailed");
    if (decided) throw await told(deps, expected, { what, found, service: last });
  }
  throw await told(deps, expected, { what, found: await failures(deps, expected), service: last });
}

/** The new version runs as often as it should and the old ones have gone. */
function isSteady({ deployments = [], desiredCount = 0 }: Service, { taskDefinition }: Expected): boolean {
  const [primary] = deployments;
  if (primary?.status !== "PRIMARY" || primary.taskDefinition !== taskDefinition) return false;
  if (primary.rolloutState !== undefined && primary.rolloutState !== "COMPLETED") return false;
  return deployments.length === 1 && (primary.runningCount ?? 0) >= desiredCount;
}

async function describe({ ecs }: Deps, { cluster, service }: Expected, what: string): Promise<Service> {
  const answer = await ask(what, () => ecs.send(new DescribeServicesCommand({ cluster, services: [service] })));
  const found = answer.services?.[0];
  if (found?.status === "ACTIVE") return found;
  throw new StacklingError({ reason: "StartFailed", userMessage: `${what}: ECS service "${service}" is not there` });
}

async function nudge({ ecs }: Deps, { cluster, service, taskDefinition }: Expected, what: string): Promise<void> {
  await ask(what, () => ecs.send(new UpdateServiceCommand({ cluster, service, taskDefinition, desiredCount: 1 })));
}

interface Failure {
  readonly task: Task;
  readonly why: Explanation;
}

/** Stopped tasks of the expected version, or of one deployment of it, that ended badly; newest first. */
async function failures({ ecs }: Deps, expected: Expected, deployment?: string): Promise<Failure[]> {
  const { cluster, service, taskDefinition, name } = expected;
  return ask(`looking at service "${name}"`, async () => {
    const { taskArns: tasks = [] } = await ecs.send(
      new ListTasksCommand({ cluster, serviceName: service, desiredStatus: "STOPPED", maxResults: 20 }),
    );
    if (tasks.length === 0) return [];
    const answer = await ecs.send(new DescribeTasksCommand({ cluster, tasks }));
    return (answer.tasks ?? [])
      .filter((task) => task.taskDefinitionArn === taskDefinition)
      .filter(({ startedBy }) => deployment === undefined || startedBy === deployment)
      .sort((a, b) => Number(b.stoppedAt ?? 0) - Number(a.stoppedAt ?? 0))
      .flatMap((task) => {
        const why = task.stopCode === "SpotInterruption" ? undefined : explainTask(task);
        return why === undefined ? [] : [{ task, why }];
      });
  });
}

async function told(
  deps: Deps,
  { name, logGroup, secrets, startTimeoutSeconds }: Expected,
  {
    what,
    found: [newest],
    service,
  }: { readonly what: string; readonly found: readonly Failure[]; readonly service: Service | undefined },
): Promise<StacklingError> {
  const late = `it was not healthy within ${startTimeoutSeconds} s`;
  const why = newest?.why ?? explainCapacity(service ?? {}) ?? { reason: "HealthCheckFailed", words: late };
  const excerpt = await lastLines(deps, { logGroup, stream: name, task: newest?.task.taskArn, secrets });
  const details = { reason: why.reason, userMessage: `${what}: ${why.words}`, excerpt };
  // What AWS lacks may be there later; what the commit lacks will not.
  const passing =
    why.reason === "CapacityUnavailable" || why.reason === "ImagePullFailed" || why.reason === "SecretMissing";
  return passing ? new StacklingError(details) : new TerminalError(details);
}
