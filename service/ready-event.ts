/** What machines are told of a preview: outgoing hooks and a forge's own events carry this body. Pure. */
import { mainUrl } from "./addresses.ts";
import { HELD_BACK } from "./reasons.ts";
import type { Condition, Preview } from "./status.ts";

export type ReadyOutcome = "ready" | "failed" | "gone";

/** Plain JSON without a secret; keys are only ever added. */
export interface ReadyEvent {
  readonly event: ReadyOutcome;
  /** `shop#42` */
  readonly key: string;
  /** Name of the repository in the config. */
  readonly repository: string;
  /** Absent for a preview by hand, and for a stage. */
  readonly number?: number;
  readonly gitBranch: string;
  /** What serves where it is `ready`, else the newest that is known. */
  readonly commit?: string;
  /** Main address, and address by service; none unless a version serves. */
  readonly url?: string;
  readonly urls: Readonly<Record<string, string>>;
  readonly condition: Condition | "Gone";
  readonly reason: string;
  /** One sentence for people; redacted. */
  readonly message: string;
  /** ISO 8601 UTC: since when it is so. */
  readonly at: string;
  readonly pullRequestUrl?: string;
  /** Its page on Stackling. */
  readonly pageUrl: string;
}

/** Stalled for somebody's decision, or for an outage that says nothing about the commit. */
const NO_OUTCOME: ReadonlySet<string> = new Set([
  ...HELD_BACK,
  "DestroyFailed",
  "NotConfigured",
  "NothingPromoted",
  "RepositoryReplaced",
  "StackLocked",
  "Locked",
  "FenceLost",
  "TargetChanged",
  "TargetUnreachable",
  "EngineInterrupted",
  "NamespaceTerminating",
  "StoreUnavailable",
  "BackendUnavailable",
  "DiskFull",
  "DiskReadOnly",
  "PluginMissing",
]);

/** Undefined while nothing has come of the newest commit, and where nothing will until somebody decides. */
export function readyEvent(preview: Preview, { pageUrl }: { readonly pageUrl: string }): ReadyEvent | undefined {
  const { key, repository, number, gitBranch, status, pullRequest } = preview;
  const outcome = outcomeOf(preview);
  if (!outcome) return undefined;
  const { event, commit } = outcome;
  const url = mainUrl(preview);
  return {
    event,
    key,
    repository,
    ...(number === undefined ? {} : { number }),
    gitBranch,
    ...(commit === undefined ? {} : { commit }),
    ...(url === undefined ? {} : { url }),
    urls: status.live?.urls ?? {},
    condition: event === "gone" ? "Gone" : status.condition,
    reason: status.reason,
    message: status.message,
    at: event === "gone" ? (status.goneAt ?? status.since) : status.since,
    ...(pullRequest?.url === undefined ? {} : { pullRequestUrl: pullRequest.url }),
    pageUrl,
  };
}

/** Kept by whoever sends, so that each outcome of a commit is told once: what is the same as the last is not sent again. */
export function readyMark({ event, commit = "" }: Pick<ReadyEvent, "event" | "commit">): string {
  return `${event} ${commit}`;
}

function outcomeOf({ status, pullRequest }: Preview): Pick<ReadyEvent, "event" | "commit"> | undefined {
  const { condition, reason, live, goneAt } = status;
  const newest = status.headSha ?? pullRequest?.headSha;
  if (goneAt !== undefined && reason === "Gone") return { event: "gone", commit: newest };
  if (condition === "Ready" && reason === "Healthy" && live) return { event: "ready", commit: live.source.commit };
  return condition === "Stalled" && !NO_OUTCOME.has(reason) ? { event: "failed", commit: newest } : undefined;
}
