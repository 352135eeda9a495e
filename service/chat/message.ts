/** What a chat is told of a preview: the same as the comment, in pieces that each chat writes in its own way. Pure. */
import type { PreviewFacts } from "../comment/facts.ts";
import { type Row, rowsOf } from "../comment/rows.ts";
import { AT_REST } from "../reasons.ts";

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
  readonly rows: readonly Row[];
  readonly excerpt: readonly string[];
  /** It is there and no stage, so that something can be done with it. */
  readonly isThere: boolean;
  /** Awake, so that it can be put to sleep. */
  readonly isAwake: boolean;
}

/** Rows that name commands to be said in comments or logins that bear a person's name are the comment's own. */
const LEFT_OUT: ReadonlySet<string> = new Set(["Removed on", "Stays until", "Log in as", "Since"]);

export function chatMessage(facts: PreviewFacts): ChatMessage {
  const { key, sign, words, url, pageUrl, title, pullRequestUrl, reason, staysUntil, removedOn, approval } = facts;
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
    rows: [
      ...rowsOf(facts).filter(({ name }) => !LEFT_OUT.has(name)),
      ...(ends === undefined ? [] : [{ name: "Stays until", cells: [[{ text: `${ends} at most` }]] }]),
      // Last, for where there is no room for all.
      { name: "Since", cells: [[{ text: facts.since }]] },
    ],
    excerpt: facts.excerpt,
    isThere: facts.number !== undefined && reason !== "Gone" && reason !== "Destroying" && facts.commit !== undefined,
    isAwake: !AT_REST.has(reason),
  };
}

const SIGNS = { note: "ℹ️", important: "❗", warning: "⚠️", caution: "🛑" } as const;
