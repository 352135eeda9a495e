/** What machines are told of a preview: outgoing hooks and a forge's own events carry this body. Pure. */
import { mainUrl } from "./addresses.ts";
import { linkedCommits, linkedServing } from "./linked/links.ts";
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
  /** Heads of linked pull requests that serve with it, or are to, by their keys (`api#7`). */
  readonly linked?: Readonly<Record<string, string>>;
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
  const { event, commit, linked } = outcome;
  const url = mainUrl(preview);
  return {
    event,
    key,
    repository,
    ...(number === undefined ? {} : { number }),
    gitBranch,
    ...(commit === undefined ? {} : { commit }),
    ...(linked === undefined ? {} : { linked }),
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

/** Kept by whoever sends, so that each outcome of what runs together is told once: what is the same as the last is not sent again. */
export function readyMark({
  event,
  commit = "",
  linked = {},
}: Pick<ReadyEvent, "event" | "commit" | "linked">): string {
  const others = Object.entries(linked).map(([key, sha]) => `${key} ${sha}`);
  return [event, commit, ...others.toSorted()].join(" ");
}

function outcomeOf({ status, pullRequest }: Preview): Pick<ReadyEvent, "event" | "commit" | "linked"> | undefined {
  const { condition, reason, live, goneAt, links } = status;
  const newest = status.headSha ?? pullRequest?.headSha;
  if (goneAt !== undefined && reason === "Gone") return { event: "gone", commit: newest };
  if (condition === "Ready" && reason === "Healthy" && live) {
    return { event: "ready", commit: live.source.commit, linked: linkedServing(live) };
  }
  if (condition !== "Stalled" || NO_OUTCOME.has(reason)) return undefined;
  return { event: "failed", commit: newest, linked: linkedCommits(links) };
}
