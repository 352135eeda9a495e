/** What a chat is told of a preview: the same as the comment, in pieces that each chat writes in its own way. Pure. */
import { answerWords, type PreviewFacts } from "../comment/facts.ts";
import { type Row, rowsOf } from "../comment/rows.ts";
import { AT_REST } from "../reasons.ts";
import { definitionOf, isLoss, nameOf, type SchemaView, schemaSummary, sinceOf } from "../schema-words.ts";

export interface ChatMessage {
  /** `✅ shop#42 is ready`, for notifications and lists. */
  readonly headline: string;
  readonly key: string;
  readonly sign: string;
  readonly words: string;
  readonly url?: string;
  readonly pageUrl?: string;
  readonly pullRequest?: { readonly title: string; readonly url?: string };
  /** Sentences, a line each; `code` in backticks. */
  readonly lines: readonly string[];
  /** The last slash commands and what came of each, as `lines`. */
  readonly answers: readonly string[];
  readonly rows: readonly Row[];
  /** What migrations changed; absent where they changed nothing. */
  readonly schema?: { readonly title: string; readonly lines: readonly string[] };
  /** Redacted. */
  readonly outputs: readonly ChatOutput[];
  /** It is there and no stage, so that something can be done with it. */
  readonly isThere: boolean;
  /** Awake, so that it can be put to sleep. */
  readonly isAwake: boolean;
}

export interface ChatOutput {
  readonly title: string;
  /** The last are those that tell most. */
  readonly lines: readonly string[];
}

/** A chat folds nothing away; the page has them all. */
const SCHEMA_SHOWN = 10;

/** Rows that name commands to be said in comments or logins that bear a person's name are the comment's own. */
const LEFT_OUT: ReadonlySet<string> = new Set(["Removed on", "Stays until", "Log in as", "Since"]);

export function chatMessage(facts: PreviewFacts): ChatMessage {
  const { key, sign, words, url, pageUrl, title, pullRequestUrl, reason, staysUntil, removedOn, approval } = facts;
  const { fallbackUrl, answers, excerpt } = facts;
  const ends = removedOn ?? staysUntil;
  const lines = [
    facts.message,
    facts.servesOn ? "The last good version goes on serving." : undefined,
    approval && `Commit \`${approval.commit.short}\` waits for somebody who may write to the repository.`,
    ...facts.notices.flatMap((notice) => notice.lines.map((line) => `${SIGNS[notice.tone]} ${line}`)),
  ];
  return {
    headline: `${sign} ${key} ${words.replaceAll("`", "")}`,
    key,
    sign,
    words,
    ...(url === undefined ? {} : { url }),
    ...(pageUrl === undefined ? {} : { pageUrl }),
    ...(title === undefined
      ? {}
      : { pullRequest: { title, ...(pullRequestUrl === undefined ? {} : { url: pullRequestUrl }) } }),
    lines: lines.filter((line) => line !== undefined),
    // The commands that `help` lists are said in comments.
    answers: answers.filter(({ said }) => said !== "/preview help").map(answerWords),
    rows: [
      ...(fallbackUrl === undefined ? [] : [{ name: "Meanwhile", cells: [[{ text: fallbackUrl, url: fallbackUrl }]] }]),
      ...rowsOf(facts).filter(({ name }) => !LEFT_OUT.has(name)),
      ...(ends === undefined ? [] : [{ name: "Stays until", cells: [[{ text: `${ends} at most` }]] }]),
      // Last, for where there is no room for all.
      { name: "Since", cells: [[{ text: facts.since }]] },
    ],
    ...(facts.schema ? { schema: schemaOf(facts.schema) } : {}),
    outputs: [
      { title: "What it said last", lines: excerpt },
      { title: "The last lines of its log", lines: answers.findLast(({ lines: shown }) => shown)?.lines ?? [] },
    ].filter((output) => output.lines.length > 0),
    isThere: facts.number !== undefined && reason !== "Gone" && reason !== "Destroying" && facts.commit !== undefined,
    isAwake: !AT_REST.has(reason),
  };
}

const SIGNS = { note: "ℹ️", important: "❗", warning: "⚠️", caution: "🛑" } as const;

function schemaOf(view: SchemaView): NonNullable<ChatMessage["schema"]> {
  const { changes, counts } = view;
  const shown = changes.slice(0, SCHEMA_SHOWN).map((change) => {
    const definition = definitionOf(change);
    const words = `${change.change} ${change.kind} \`${nameOf(change.table, change.name)}\``;
    return `${isLoss(change) ? SIGNS.warning : "•"} ${words}${definition === undefined ? "" : `: \`${definition}\``}`;
  });
  const more = counts.added + counts.changed + counts.dropped - shown.length;
  return {
    title: `Database schema: ${schemaSummary(view)}, against ${sinceOf(view)}`,
    lines: more > 0 ? [...shown, `• and ${more} more`] : shown,
  };
}
