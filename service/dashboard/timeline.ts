/** What happened to a preview and why, out of all that is written down of it. Pure. */
import type { AuditEntry } from "../audit.ts";
import type { Deployment } from "../deployments/deployment.ts";
import { reasonWords } from "../reason-words.ts";
import type { Receipt } from "../status.ts";
import type { HistoryEntry } from "../store/store.ts";

export const EVENT_KINDS = ["condition", "person", "deployment", "receipt"] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface TimelineEvent {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly kind: EventKind;
  readonly tone: "good" | "bad" | "busy" | "still";
  /** A few words. */
  readonly title: string;
  /** Sentences of ours, with code in backticks. */
  readonly text?: string;
  readonly commit?: string;
  /** Of a deployment. */
  readonly deployment?: string;
}

export interface TimelineSources {
  readonly history: readonly HistoryEntry[];
  readonly audit: readonly AuditEntry[];
  readonly deployments: readonly Deployment[];
  readonly receipts: readonly Receipt[];
}

/** Newest first. */
export function timelineOf({ history, audit, deployments, receipts }: TimelineSources): readonly TimelineEvent[] {
  const events = [
    ...history.filter((entry) => !isTold(entry, deployments)).map(ofHistory),
    ...audit.map(ofAudit),
    ...deployments.flatMap(ofDeployment),
    ...receipts.map(ofReceipt),
  ];
  return events.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

/** What the history says beside changes of condition. */
const NOTED: Readonly<Record<string, readonly [tone: TimelineEvent["tone"], title: string]>> = {
  RolledBack: ["busy", "Rolled back"],
  Promotion: ["busy", "A promotion was asked for"],
  Promoted: ["good", "Promoted"],
  Approved: ["good", "A commit was approved"],
  Command: ["still", "A command in the pull request"],
  Drifted: ["bad", "Something was changed by hand"],
  DriftEnded: ["good", "As it should be again"],
  DriftRepaired: ["good", "What was changed by hand was put right"],
};
/** Of words that a comment has for a reason. */
const TONES: Readonly<Record<string, TimelineEvent["tone"]>> = {
  "✅": "good",
  "❌": "bad",
  "🔒": "bad",
  "🔨": "busy",
  "🧹": "busy",
};

function ofHistory({ at, reason, message, headSha }: HistoryEntry): TimelineEvent {
  const { sign, words } = reasonWords(reason);
  const known = words === `is ${reason}` ? `is ${spaced(reason)}` : words;
  const [tone, title] = NOTED[reason] ?? [TONES[sign] ?? "still", `It ${known.replaceAll("`", "")}`];
  const kind = reason === "Command" || reason === "Approved" ? "person" : "condition";
  const commit = headSha === undefined ? {} : { commit: headSha };
  return { at, kind, tone, title, ...(SAYS_NOTHING.has(message) ? {} : { text: message }), ...commit };
}

/** The title has said it. */
const SAYS_NOTHING = new Set(["Serving.", "Waking up."]);

function ofAudit({ at, actor, action, detail, via, outcome }: AuditEntry): TimelineEvent {
  const done = { done: "", refused: ", and it was refused", failed: ", and it failed" }[outcome];
  const text = detail === undefined ? {} : { text: `${detail}.` };
  return {
    at,
    kind: "person",
    tone: outcome === "done" ? "still" : "bad",
    title: `${whoOf(actor)} asked for ${spaced(action)} ${VIAS[via]}${done}`,
    ...text,
  };
}

const VIAS: Readonly<Record<AuditEntry["via"], string>> = {
  page: "on the pages",
  api: "by the API",
  comment: "in the pull request",
  chat: "in the chat",
  service: "by itself",
};

/** Names of doors are no persons. */
function whoOf(actor: string): string {
  if (actor === "page") return "Somebody with the login link";
  if (actor === "api") return "Somebody with the instance's token";
  return actor;
}

/** How it ended is a condition, but for one that was broken off. */
function ofDeployment({
  id,
  at,
  endedAt,
  cause,
  commit,
  outcome,
  kind,
  message,
}: Deployment): readonly TimelineEvent[] {
  const about = { kind: "deployment", deployment: id, ...(commit === undefined ? {} : { commit }) } as const;
  const title = kind === "up" ? "A deployment began" : "Its removal began";
  const begun: TimelineEvent = { ...about, at, tone: "busy", title, text: `${cause}.` };
  if (endedAt === undefined || outcome !== "interrupted") return [begun];
  const said = message ? { text: sentence(message) } : {};
  return [begun, { ...about, at: endedAt, tone: "still", title: "It was broken off", ...said }];
}

/** What a deployment says better: that it began, and why. */
function isTold({ reason, at }: HistoryEntry, deployments: readonly Deployment[]): boolean {
  if (reason !== "Provisioning" && reason !== "Updating" && reason !== "Destroying") return false;
  return deployments.some((one) => Math.abs(Date.parse(one.at) - Date.parse(at)) < SAME_MS);
}

const SAME_MS = 5_000;

function ofReceipt({ at, reason, evidence, removed, proof }: Receipt): TimelineEvent {
  const left = proof.reduce((sum, { found }) => sum + found, 0);
  const looked = left === 0 ? "and nothing of it was found any more" : `and ${left} things were still found`;
  const why = evidence === undefined ? "" : ` ${sentence(evidence)}`;
  const text = `${removed.length} resources were removed, ${looked}.${why}`;
  return { at, kind: "receipt", tone: "good", title: `Receipt: it went because it was ${spaced(reason)}`, text };
}

/** `HealthCheckFailed` as `health check failed` */
function spaced(name: string): string {
  return name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ")
    .replaceAll("-", " ")
    .toLowerCase();
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
