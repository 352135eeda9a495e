/** Why a task did not run, in a person's words. */
import { type CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { Service, Task } from "@aws-sdk/client-ecs";
import { redact } from "../local/redact.ts";
import { publicWords } from "./errors.ts";

export interface Explanation {
  /** A condition's reason. */
  readonly reason: "ImagePullFailed" | "StartFailed" | "HealthCheckFailed" | "SecretMissing" | "CapacityUnavailable";
  readonly words: string;
}

const EXCERPT_LINES = 20;

/**
 * Undefined for a task that ended because it was told to. The texts are AWS' own: ECS docs, "Stopped
 * tasks error messages".
 */
export function explainTask({ stoppedReason = "", stopCode, containers = [] }: Task): Explanation | undefined {
  const reasons = [stoppedReason, ...containers.map(({ reason = "" }) => reason)];
  const saying = (pattern: RegExp) => reasons.find((reason) => pattern.test(reason));
  const pull = saying(/CannotPull(Container|Image)|CannotPullECRContainer|ImageManifest|pull image manifest/i);
  if (pull !== undefined)
    return { reason: "ImagePullFailed", words: `the image cannot be fetched: ${publicWords(pull)}` };
  const unprepared = saying(/ResourceInitializationError|secrets manager|fetch secret/i);
  if (unprepared !== undefined) return { reason: "SecretMissing", words: prepareWords(unprepared) };
  if (stopCode === "SpotInterruption")
    return { reason: "CapacityUnavailable", words: "AWS took its spot capacity back" };
  if (saying(/OutOfMemory/i) !== undefined)
    return { reason: "StartFailed", words: "it needs more memory than it may have" };
  if (/health check/i.test(stoppedReason)) return { reason: "HealthCheckFailed", words: "its health check failed" };
  const ended =
    containers.find(({ exitCode }) => exitCode !== undefined && exitCode !== 0) ??
    containers.find(({ exitCode }) => exitCode !== undefined);
  if (stopCode === "EssentialContainerExited" && ended) {
    return { reason: "StartFailed", words: `container "${ended.name}" exited with code ${ended.exitCode}` };
  }
  const unstarted = saying(/CannotStartContainer|CannotCreateContainer|DockerTimeout|TaskFailedToStart/i);
  if (unstarted !== undefined || stopCode === "TaskFailedToStart") {
    return { reason: "StartFailed", words: `it could not be started: ${publicWords(unstarted ?? stoppedReason)}` };
  }
  return undefined;
}

/** What the service's own events say of room that AWS has not. */
export function explainCapacity({ events = [] }: Pick<Service, "events">): Explanation | undefined {
  const newest = events[0]?.message ?? "";
  if (!/unable to (consistently )?(place|start) (a )?tasks?/i.test(newest)) return undefined;
  const room = /capacity/i.test(newest);
  return {
    reason: "CapacityUnavailable",
    words: room ? "AWS has no capacity for it now" : `AWS cannot start it: ${publicWords(newest)}`,
  };
}

/** The last lines a task wrote, redacted; none when they cannot be had. */
export async function lastLines(
  { logs }: { readonly logs: CloudWatchLogsClient },
  where: {
    readonly logGroup: string;
    readonly stream: string;
    readonly container?: string;
    readonly task: string | undefined;
    readonly secrets: readonly string[];
  },
): Promise<string[]> {
  const { logGroup, stream, container = stream, task, secrets } = where;
  if (task === undefined) return [];
  const logStreamName = `${stream}/${container}/${task.split("/").at(-1)}`;
  try {
    const answer = await logs.send(
      new GetLogEventsCommand({ logGroupName: logGroup, logStreamName, limit: EXCERPT_LINES, startFromHead: false }),
    );
    return (answer.events ?? []).map(({ message = "" }) => redact(message.trimEnd(), secrets));
  } catch {
    // A task that never started has no stream; the explanation stands without it.
    return [];
  }
}

function prepareWords(text: string): string {
  if (/ResourceNotFound|can't find the specified secret/i.test(text))
    return "one of its secrets is not in Secrets Manager";
  if (/AccessDenied|not authorized/i.test(text)) return "it may not read one of its secrets or images";
  if (/timeout|timed out|connection|i\/o/i.test(text)) {
    return "its subnets do not reach AWS' services: they need a NAT gateway, private endpoints or `publicIp: true`";
  }
  return `AWS could not prepare it: ${publicWords(text)}`;
}
