/** The one comment on a pull request, in Markdown as forges render it. Pure; the same preview gives the same text. */
import { commentMarker } from "../forges/marker.ts";
import { checksMarkdown } from "../gates/words.ts";
import { fence, folded, inCode, text } from "../markdown.ts";
import { schemaSection } from "../schema-words.ts";
import type { Preview } from "../status.ts";
import type { CommandFact } from "./command-facts.ts";
import { answerWords, type FactOptions, type PreviewFacts, previewFacts } from "./facts.ts";
import { joined, type Parts, withinLimit } from "./limit.ts";
import type { Notice } from "./notices.ts";
import { type Piece, rowsOf } from "./rows.ts";

export interface CommentOptions extends FactOptions {
  /** `short` leaves out the table and what is folded away. Default `full`. */
  readonly verbosity?: "full" | "short";
}

/** The hidden marker in its first line. Text from outside is escaped; it is never longer than forges take. */
export function renderComment(preview: Preview, { verbosity = "full", ...options }: CommentOptions = {}): string {
  const facts = previewFacts(preview, options);
  return withMarker(facts.key, withinLimit(facts, verbosity === "short" ? shortParts : partsOf));
}

export function withMarker(key: string, markdown: string): string {
  return `${commentMarker(key)}\n${markdown.trim()}\n`;
}

/** The comment where nothing renders it: without its marker, and unfolded. */
export function commentText(comment: string): string {
  const unfolded = comment.replace(/<summary>(.*?)<\/summary>/g, "$1").replace(/<\/?details>\n?/g, "");
  return unfolded
    .replace(/<img [^>]*alt="([^"]*)"[^>]*>/g, "$1")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** Every part as Markdown in the order of the comment, by the name that templates call it. */
export function partsOf(facts: PreviewFacts): Readonly<Record<PartName, string>> {
  return {
    heading: `### ${facts.sign} Preview ${inCode(facts.key)} ${facts.words}`,
    link: linkOf(facts),
    message: message(facts),
    approval: approval(facts),
    notices: facts.notices.map(notice).join("\n\n"),
    fallback: facts.fallbackUrl === undefined ? "" : `Meanwhile: <${facts.fallbackUrl}>`,
    answers: facts.answers.map((one) => `- ${text(answerWords(one))}`).join("\n"),
    log: log(facts.answers),
    table: table(facts),
    checks: checks(facts),
    schema: schema(facts),
    excerpt: excerpt(facts.excerpt),
    qr: qr(facts),
    commands: commands(facts),
  };
}

export const PARTS = {
  heading: "sign, key and state, as a heading",
  link: "the preview's address, and its page on Stackling",
  message: "why it is so, or what is being done",
  approval: "what a maintainer is to look at and say before a commit runs",
  notices: "warnings and notes: rolled back, idle, drift, what migrations drop, …",
  fallback: "the operator's `fallbackUrl`, while the preview cannot be had",
  answers: "the last slash commands, and what came of each",
  log: "the last lines of the log that somebody asked for, folded",
  table: "commit, services, database, test users, flags, place in the queue, ends",
  checks: "results of smoke tests and gates, folded",
  schema: "what its migrations changed, folded",
  excerpt: "the last lines of what failed, folded",
  qr: "a QR code of the address, folded; none on `localhost`",
  commands: "what people can say and run, folded",
} as const;

export type PartName = keyof typeof PARTS;

/** Whoever asked for help gets the commands here too. */
function shortParts(facts: PreviewFacts): Parts {
  const { heading, link, message, approval, notices, fallback, answers, log, excerpt, commands } = partsOf(facts);
  const isAsked = facts.answers.at(-1)?.said === "/preview help";
  const above = { heading, link, message, approval, notices, fallback, answers, log, excerpt };
  return { ...above, line: shortLine(facts), ...(isAsked ? { commands } : {}) };
}

/** What the table would say, as far as people cannot do without it. */
function shortLine({ commit, newest, staysUntil, removedOn, queue }: PreviewFacts): string {
  const shown = newest ?? commit;
  const words = [
    shown && `Commit ${inCode(shown.short, shown.url)}`,
    queue && `${queue.place} of ${queue.of} in the queue`,
    removedOn !== undefined ? `removed on ${removedOn}` : staysUntil && `stays until ${staysUntil} at most`,
  ];
  return words.filter((one) => one !== undefined).join(" · ");
}

function linkOf({ url, host, pageUrl }: PreviewFacts): string {
  const main = url === undefined ? [] : [`**[${host}](${url})**`];
  return [...main, ...(pageUrl === undefined ? [] : [`[status and logs](${pageUrl})`])].join(" · ");
}

function message({ message: words, servesOn }: PreviewFacts): string {
  return joined([words === undefined ? "" : text(words), servesOn ? "The last good version goes on serving." : ""]);
}

function approval({ approval: asked }: PreviewFacts): string {
  if (!asked) return "";
  const { commit, linked = [], say, inComments, trusted } = asked;
  const changes = (of: string, url: string | undefined) =>
    url === undefined ? `what ${of} changes` : `[what ${of} changes](${url})`;
  const what = [
    changes(`commit ${inCode(commit.short)}`, commit.url),
    ...linked.map((one) => changes(`${inCode(one.commit.short)} of ${text(one.said)}`, one.commit.url)),
  ].join(" and ");
  const alone = linked.length > 0 ? "these commits" : "this commit";
  return [
    "> [!IMPORTANT]",
    `> **For who may write to the repository:** look at ${what}. If it may run, ${inComments ? "say in a comment" : "run"}`,
    "> ```text",
    `> ${say}`,
    "> ```",
    `> It counts for ${alone} alone; the next push asks again.${trusted ? "" : " It then runs with a database of its own and none of the operator's secrets."}`,
  ].join("\n");
}

function notice({ tone, lines, mention }: Notice): string {
  const [first = "", ...rest] = lines.map((line) => text(line.replace(/\s*\n\s*/g, " ")));
  const called = mention === undefined ? first : `@${mention} ${first}`;
  return [`> [!${tone.toUpperCase()}]`, ...[called, ...rest].map((line) => `> ${line}`)].join("\n");
}

function table(facts: PreviewFacts): string {
  const lines = rowsOf(facts).map(({ name, cells }) => `| ${name} | ${cells.map(cell).join(" · ")} |`);
  return ["| | |", "|---|---|", ...lines].join("\n");
}

function cell(pieces: readonly Piece[]): string {
  return pieces.map(piece).join("");
}

function piece(one: Piece): string {
  // A table is cut into cells before anything in it is code.
  if ("code" in one) return inCode(one.code.replaceAll("|", "\\|"), one.url);
  // In a link's words none of a stranger's is code.
  return one.url === undefined ? text(one.text) : `[${text(one.text.replaceAll("`", "'"))}](${one.url})`;
}

function checks({ checks: checked }: PreviewFacts): string {
  const results = checked && checksMarkdown(checked);
  return results === undefined ? "" : folded("Smoke tests and gates", results);
}

function schema({ schema: view }: PreviewFacts): string {
  if (!view) return "";
  const { title, body } = schemaSection(view);
  return folded(title, body);
}

function log(answers: PreviewFacts["answers"]): string {
  const shown = answers.findLast(({ lines }) => lines);
  return shown?.lines ? folded("The last lines of its log", plain(shown.lines)) : "";
}

function excerpt(lines: readonly string[]): string {
  return lines.length === 0 ? "" : folded("What it said last", plain(lines));
}

function plain(lines: readonly string[]): string {
  return `${fence(lines)}text\n${lines.join("\n")}\n${fence(lines)}`;
}

/** Black on white in its own picture: it is read by a camera in a dark theme too. */
function qr({ qrUrl, host }: PreviewFacts): string {
  if (qrUrl === undefined) return "";
  return folded("QR code for a phone", `<img src="${qrUrl}" width="180" height="180" alt="QR code of ${host}">`);
}

function commands({ commands: { inComments, byCli } }: PreviewFacts): string {
  if (byCli.length === 0) return "";
  if (inComments.length === 0) return folded("Commands", choices(byCli));
  return folded(
    "Commands",
    `In a comment, by who may write to the repository:\n\n${choices(inComments)}\n\nOn the command line:\n\n${choices(byCli)}`,
  );
}

function choices(rows: readonly CommandFact[]): string {
  return ["| | |", "|---|---|", ...rows.map(({ code, does }) => `| \`${code}\` | ${does} |`)].join("\n");
}
