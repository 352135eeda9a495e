/** Slash commands in the text of a comment: which there are, and what a line asks for. Pure. */
import { parseDuration } from "../config/duration.ts";
import { isCommitId } from "../trust.ts";
import { VERBS, type Verb } from "./verbs.ts";

export type Command =
  | { readonly verb: Exclude<Verb, "rollback" | "extend" | "keep" | "seed" | "flag" | "approve" | "logs"> }
  /** Without a commit: the last good one. */
  | { readonly verb: "rollback"; readonly sha?: string; readonly keepDatabase?: boolean }
  | { readonly verb: "extend"; readonly seconds: number }
  | { readonly verb: "keep"; readonly keep: boolean }
  | { readonly verb: "seed"; readonly scenario?: string }
  /** Without a service: of all. */
  | { readonly verb: "logs"; readonly service?: string }
  /** Without a commit: the newest, where whoever says it must have seen that. */
  | { readonly verb: "approve"; readonly sha?: string }
  /** Without a value: what was said of it before is taken back. */
  | { readonly verb: "flag"; readonly name: string; readonly value?: string };

/** One line that begins with `/preview`. */
export interface Line {
  /** What stands behind `/preview`, to be shown again: never more of it than was understood. */
  readonly said: string;
  readonly asks: { readonly command: Command } | { readonly problem: string };
}

/** More in one comment are not carried out, and the comment is told so. */
export const MOST_LINES = 5;
/** As in the API. */
const EXTEND_MOST_SECONDS = 366 * 86_400;
const KEEP_DATABASE = /^(--)?keep-database$/i;
const SHOWN_OF_A_WORD = 16;
const SHOWN_OF_A_FLAG = 48;

/**
 * The commands of a comment, in order. A line counts when it begins with `/preview`; lines in code blocks,
 * quotes and hidden HTML comments do not, for those show a command and do not give it.
 */
export function parseCommands(body: string): readonly Line[] {
  const lines = spokenLines(body).flatMap((line) => {
    const words = /^ {0,3}\/preview(?:[ \t]+(.*))?$/i.exec(line);
    return words ? [parseLine((words[1] ?? "").split(/\s+/).filter(Boolean))] : [];
  });
  if (lines.length <= MOST_LINES) return lines;
  const problem = `a comment may hold ${MOST_LINES} commands, and the ${lines.length - MOST_LINES} behind them were left out`;
  return [...lines.slice(0, MOST_LINES), { said: "…", asks: { problem } }];
}

function parseLine([first = "help", ...rest]: readonly string[]): Line {
  const verb = VERBS.find((known) => known === first.toLowerCase());
  const most = verb === "flag" || verb === "seed" || verb === "logs" ? SHOWN_OF_A_FLAG : SHOWN_OF_A_WORD;
  const said = [first.toLowerCase(), ...rest.slice(0, 1)].map((word) => shown(word, most)).join(" ");
  if (verb === undefined) {
    return { said: shown(first), asks: { problem: `there is no such command; there are ${list(VERBS)}` } };
  }
  return { said, asks: asksOf(verb, rest) };
}

function asksOf(verb: Verb, rest: readonly string[]): Line["asks"] {
  if (verb === "rollback") return rollback(rest);
  const [argument, ...more] = rest;
  if (more.length > 0) return { problem: "there is a word too many in that line" };
  if (verb === "extend") return extendBy(argument);
  if (verb === "flag") return setFlag(argument);
  if (verb === "approve") return approve(argument);
  if (verb === "seed") {
    return { command: argument === undefined ? { verb } : { verb, scenario: shown(argument, SHOWN_OF_A_FLAG) } };
  }
  if (verb === "logs") {
    return { command: argument === undefined ? { verb } : { verb, service: shown(argument, SHOWN_OF_A_FLAG) } };
  }
  if (verb === "keep") {
    if (argument === undefined) return { command: { verb, keep: true } };
    if (/^(--)?off$/i.test(argument)) return { command: { verb, keep: false } };
    return { problem: "it is `keep` or `keep off`" };
  }
  return argument === undefined ? { command: { verb } } : { problem: `nothing is expected behind \`${verb}\`` };
}

/** The first digits are enough: it is looked for among those that served here. */
function rollback(rest: readonly string[]): Line["asks"] {
  const [sha, ...more] = rest.filter((word) => !KEEP_DATABASE.test(word));
  const keepDatabase = rest.some((word) => KEEP_DATABASE.test(word)) ? { keepDatabase: true } : {};
  if (more.length > 0) return { problem: "there is a word too many in that line" };
  if (sha === undefined) return { command: { verb: "rollback", ...keepDatabase } };
  if (!/^[0-9a-f]{7,64}$/i.test(sha))
    return { problem: "it wants the id of a commit, or its first seven digits at least" };
  return { command: { verb: "rollback", sha: sha.toLowerCase(), ...keepDatabase } };
}

function setFlag(assignment = ""): Line["asks"] {
  const [, name, value] = /^([^=]{1,64})=(.{0,64})$/.exec(assignment) ?? [];
  if (name === undefined) return { problem: "it wants a flag and its value: `flag name=value`" };
  return { command: { verb: "flag", name, ...(value ? { value } : {}) } };
}

/** The whole id, for a commit with the same first digits can be made at will. */
function approve(sha: string | undefined): Line["asks"] {
  if (sha === undefined) return { command: { verb: "approve" } };
  if (isCommitId(sha)) return { command: { verb: "approve", sha: sha.toLowerCase() } };
  return { problem: "it wants the whole id of the commit, as the comment shows it" };
}

function extendBy(time: string | undefined): Line["asks"] {
  const seconds = parseDuration(time ?? "");
  if (seconds === undefined) return { problem: "it wants a time such as `90m`, `48h` or `14d`" };
  if (seconds > EXTEND_MOST_SECONDS) return { problem: "`366d` is the longest time" };
  return { command: { verb: "extend", seconds } };
}

/** A word of a stranger as it may stand in code: without what could end it, and cut. */
function shown(word: string, most = SHOWN_OF_A_WORD): string {
  const plain = word.replace(/[^\w.:/=-]/g, "");
  return plain.length <= most ? plain || "…" : `${plain.slice(0, most)}…`;
}

function list(verbs: readonly string[]): string {
  return verbs.map((verb) => `\`${verb}\``).join(", ");
}

/** Source: CommonMark 0.31, "Fenced code blocks", "Indented code blocks" and "Block quotes", as far as one line tells. */
function spokenLines(body: string): readonly string[] {
  const spoken: string[] = [];
  let fence: string | undefined;
  // What is hidden ends where the text does, when nothing else ends it.
  for (const line of body.replace(/<!--[\s\S]*?(-->|$)/g, "").split(/\r\n|\r|\n/)) {
    const [, run] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === undefined && run !== undefined) fence = run;
    else if (fence !== undefined) {
      const isEnd = run?.startsWith(fence) && line.trim() === run;
      if (isEnd) fence = undefined;
    } else if (!/^( {4}|\t| {0,3}>)/.test(line)) spoken.push(line);
  }
  return spoken;
}
