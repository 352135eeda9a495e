/** Results of checks as people read them. Pure. */
import { fence, folded, text } from "../markdown.ts";
import type { PreviewStatus } from "../status.ts";
import { type Checked, type CheckResult, countWords } from "./results.ts";

/** Of a long list. */
const SHOWN_MAX = 50;
const EXCERPT_LINES = 20;

/** Results of a commit: those that stand against it, else the last. Undefined where it was not checked. */
export function checksOf(
  { checks, failedChecks }: Pick<PreviewStatus, "checks" | "failedChecks">,
  commit: string | undefined,
): Checked | undefined {
  return [failedChecks, checks].find((one) => one !== undefined && one.commit === commit);
}

/** A heading, a table, and the last lines of what failed; undefined where nothing was checked. */
export function checksMarkdown({ results }: Pick<Checked, "results">): string | undefined {
  const count = countWords({ results });
  if (count === undefined) return undefined;
  const rows = results
    .slice(0, SHOWN_MAX)
    .map((one) => `| ${signOf(one)} | ${cell(nameOf(one))} | ${cell(one.text)} |`);
  const more = results.length > SHOWN_MAX ? [`| | ${results.length - SHOWN_MAX} more | |`] : [];
  const said = results.flatMap(({ name, ok, excerpt }) => (ok || !excerpt?.length ? [] : [excerptOf(name, excerpt)]));
  return [`**${count}**`, ["| | Check | Result |", "|---|---|---|", ...rows, ...more].join("\n"), ...said].join("\n\n");
}

/** `✔ smoke test "GET /health": it answered 200 after 12 ms` */
export function checkLine(result: CheckResult): string {
  return `${result.ok ? "✔" : "✖"} ${nameOf(result)}: ${result.text}`;
}

function nameOf({ kind, name, required }: CheckResult): string {
  return `${kind === "smoke" ? "smoke test" : "gate"} "${name}"${required ? "" : " (not required)"}`;
}

function signOf({ ok, required }: CheckResult): string {
  if (ok) return "✅";
  return required ? "❌" : "⚠️";
}

function cell(words: string): string {
  return text(words.replace(/\s+/g, " "));
}

function excerptOf(name: string, lines: readonly string[]): string {
  const shown = lines.slice(-EXCERPT_LINES);
  const marks = fence(shown);
  return folded(`What ${cell(`"${name}"`)} said last`, [marks, ...shown, marks].join("\n"));
}
