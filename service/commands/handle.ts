/** Newly read comments laid over a preview's record: wishes, answers, receipts and history at once. Pure. */

import type { AuditNote } from "../audit.ts";
import type { CommandAnswer, CommandOutcome, CommandsHandled } from "../intents.ts";
import type { Preview } from "../status.ts";
import type { HistoryEntry } from "../store/store.ts";
import { type Carried, carryOut, type Ground } from "./carry-out.ts";
import type { Line } from "./parse.ts";

export interface Heard {
  /** Those with commands, by rising id. */
  readonly comments: readonly {
    readonly id: number;
    /** Login of the author. */
    readonly by: string;
    /** ISO 8601: when it was written. */
    readonly at: string;
    /** Whether the author may write to the repository. */
    readonly allowed: boolean;
    readonly lines: readonly Line[];
  }[];
  /** The newest comment that was read, with commands or without. */
  readonly last: { readonly id: number; readonly at: string };
}

/** What holds for every comment of a look. */
export type SharedGround = Omit<Ground, "by" | "saidAt">;

export interface Handled {
  readonly fields: Partial<Preview>;
  readonly history: readonly Omit<HistoryEntry, "key">[];
  readonly audit: readonly AuditNote[];
  /** False when no comment held a command, or all were handled before. */
  readonly answered: boolean;
}

const ANSWERS_KEPT = 3;
/** Of reactions that the forge does not take; the oldest are let go. */
const RECEIPTS_KEPT = 20;
/** What asks and changes nothing is no entry of the history. */
const ASKS_ONLY = new Set(["help", "status", "logs"]);

/** Leaves out what the record says was handled already, so that doing it twice is doing it once. */
export function handle(preview: Preview, { comments, last }: Heard, ground: SharedGround): Handled {
  const before = preview.intents.commands ?? { since: ground.now };
  const handled = before.last?.id ?? 0;
  if (last.id <= handled) return { fields: {}, history: [], audit: [], answered: false };
  const told: Told = {
    preview,
    answers: [...(before.answers ?? [])],
    receipts: [...(before.receipts ?? [])],
    history: [],
    audit: [],
  };
  const news = comments.filter(({ id }) => id > handled);
  for (const comment of news) tell(told, comment, ground);
  const { intents, lastVisitAt } = told.preview;
  const commands: CommandsHandled = {
    ...before,
    last,
    ...(told.answers.length > 0 ? { answers: latest(told.answers) } : {}),
    ...(told.receipts.length > 0 ? { receipts: told.receipts.slice(-RECEIPTS_KEPT) } : {}),
  };
  return {
    fields: { intents: { ...intents, commands }, ...(lastVisitAt === undefined ? {} : { lastVisitAt }) },
    history: told.history,
    audit: told.audit,
    answered: news.length > 0,
  };
}

interface Told {
  preview: Preview;
  answers: CommandAnswer[];
  readonly receipts: { comment: number; outcome: CommandOutcome }[];
  readonly history: Omit<HistoryEntry, "key">[];
  readonly audit: AuditNote[];
}

function tell(told: Told, { id, by, at, allowed, lines }: Heard["comments"][number], ground: SharedGround): void {
  const outcomes = (allowed ? lines : lines.slice(0, 1)).map((line) => {
    const {
      change,
      outcome,
      answer,
      lines: shown,
    } = allowed ? carried(told.preview, line, { ...ground, by, saidAt: at }) : REFUSAL;
    told.preview = { ...told.preview, ...change };
    // Of what was shown before the record keeps nothing: a log is long.
    if (shown) told.answers = told.answers.map(({ lines: _, ...said }) => said);
    told.answers.push({ at: ground.now, said: line.said, by, outcome, answer, ...(shown ? { lines: shown } : {}) });
    if (!asksOnly(line)) {
      told.history.push(entryOf(line, { now: ground.now, by, outcome, answer }));
      told.audit.push(noteOf(told.preview, line, { now: ground.now, by, outcome, answer }));
    }
    return outcome;
  });
  const outcome = outcomes.find((one) => one !== "done") ?? "done";
  told.receipts.push({ comment: id, outcome });
}

function asksOnly({ said }: Line): boolean {
  return ASKS_ONLY.has(said.split(" ")[0] ?? "");
}

const REFUSAL: Carried = {
  change: {},
  outcome: "refused",
  answer: "only who may write to the repository may say that",
};

function carried(preview: Preview, { asks }: Line, ground: Ground): Carried {
  if ("command" in asks) return carryOut(preview, asks.command, ground);
  return { change: {}, outcome: "confused", answer: asks.problem };
}

interface Said {
  readonly now: string;
  readonly by: string;
  readonly outcome: CommandOutcome;
  readonly answer: string;
}

function entryOf({ said }: Line, { now, by, outcome, answer }: Said): Omit<HistoryEntry, "key"> {
  const done = outcome === "done" ? "" : "not done, ";
  return { at: now, reason: "Command", message: `\`/preview ${said}\` by @${by}: ${done}${answer}.` };
}

/** A name that the forge proved; why something was not done is said beside what was asked. */
function noteOf({ key }: Pick<Preview, "key">, { said }: Line, { now, by, outcome, answer }: Said): AuditNote {
  const [action = "", ...rest] = said.split(" ");
  const detail = [...(rest.length > 0 ? [rest.join(" ")] : []), ...(outcome === "done" ? [] : [answer])].join("; ");
  return {
    at: now,
    actor: `@${by}`,
    action,
    key,
    ...(detail ? { detail } : {}),
    via: "comment",
    outcome: outcome === "done" ? "done" : "refused",
  };
}

/** Strangers can comment as often as they like: of all refusals only the last is shown. */
function latest(answers: readonly CommandAnswer[]): readonly CommandAnswer[] {
  const refused = answers.findLast(({ outcome }) => outcome === "refused");
  const kept = answers.filter((answer) => answer.outcome !== "refused" || answer === refused);
  const others = kept.filter((answer) => answer !== refused).slice(-ANSWERS_KEPT);
  return kept.filter((answer) => answer === refused || others.includes(answer));
}
