/** Keeps a comment as short as forges take it: what is folded away goes, the longest of it first. Pure. */
import type { PartName } from "./comment.ts";
import type { PreviewFacts } from "./facts.ts";
import { lastLines } from "./last-lines.ts";

/** GitHub takes 65,536 characters, GitLab a million, Gitea and Forgejo what their database takes. */
export const COMMENT_MAX = 60_000;
/** Of each piece of output, one after the other until all of it fits: what is shorter stays whole. */
const OUTPUT_MAX = [30_000, 15_000, 8_000, 4_000, 2_000, 1_000, 500, 0] as const;
const MESSAGE_MAX = 2_000;

/** What goes as a whole where that is not enough, as it is called then. */
const FOLDED = [
  ["log", "the log"],
  ["checks", "results of smoke tests and gates"],
  ["schema", "changes of the database schema"],
  ["excerpt", "the last lines of what failed"],
  ["qr", "the QR code"],
  ["commands", "the commands"],
] as const satisfies readonly (readonly [PartName, string])[];

/** Markdown, in its order. */
export type Parts = Readonly<Partial<Record<PartName | "line", string>>>;

/** All parts in one text. What is left out is said in it, and nothing ends within its markup. */
export function withinLimit(facts: PreviewFacts, partsOf: (facts: PreviewFacts) => Parts): string {
  const whole = joined(Object.values(partsOf(facts)));
  if (whole.length <= COMMENT_MAX) return whole;
  for (const most of OUTPUT_MAX) {
    const shorter = shortened(facts, partsOf(withOutput(facts, most)), [OUTPUT]);
    if (shorter.length <= COMMENT_MAX) return shorter;
  }
  const parts = { ...partsOf(withOutput(facts, 0)) };
  const gone: string[] = joined(Object.values(parts)) === whole ? [] : [OUTPUT];
  const sizeOf = (name: PartName) => parts[name]?.length ?? 0;
  const longestFirst = FOLDED.filter(([name]) => sizeOf(name) > 0).toSorted(([a], [b]) => sizeOf(b) - sizeOf(a));
  for (const [name, words] of longestFirst) {
    delete parts[name];
    gone.push(words);
    const shorter = shortened(facts, parts, gone);
    if (shorter.length <= COMMENT_MAX) return shorter;
  }
  const { message: words = "" } = facts;
  const { heading = "", link = "", message = "" } = partsOf({ ...facts, message: words.slice(0, MESSAGE_MAX) });
  return shortened(facts, { heading, link, message }, ["all else"]);
}

export function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

const OUTPUT = "the beginnings of long output";

function shortened({ pageUrl }: PreviewFacts, parts: Parts, gone: readonly string[]): string {
  const rest = pageUrl === undefined ? "" : ` [Its page](${pageUrl}) has more.`;
  const said = `> [!NOTE]\n> All of it would be longer than a comment may be. Left out: ${gone.join(", ")}.${rest}`;
  return joined([...Object.values(parts), said]);
}

function withOutput(facts: PreviewFacts, most: number): PreviewFacts {
  const { excerpt, answers, checks } = facts;
  const results = checks?.results.map((one) => (one.excerpt ? { ...one, excerpt: lastLines(one.excerpt, most) } : one));
  return {
    ...facts,
    excerpt: lastLines(excerpt, most),
    answers: answers.map((one) => (one.lines ? { ...one, lines: lastLines(one.lines, most) } : one)),
    ...(checks && results ? { checks: { ...checks, results } } : {}),
  };
}
