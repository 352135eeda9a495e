/** Commands as a page shows them, held against the programs that would run them; nothing is run. */
import { CommanderError } from "commander";
import { commandOf, quietProgram } from "../../../scripts/reference/cli.ts";
import { nameOf } from "../../../service/cli/program.ts";
import { verbs } from "../../../service/cli/verbs.ts";

/** Why our program would call this wrong use; undefined where it would run it. Words begin behind `stackling`. */
export function wrongUse(words: readonly string[]): string | undefined {
  const program = quietProgram();
  for (const verb of verbs) commandOf(program, nameOf(verb)).action(() => undefined);
  if (words.length === 0) return "names no verb";
  try {
    program.parse(words, { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? undefined : error.message;
    throw error;
  }
}

/** Words of one command as a shell has them; what stands behind a `#` is left out. */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const sign = line.charAt(at);
    if (quote) {
      if (sign === quote) quote = "";
      else word += sign === "\\" && quote === '"' ? line.charAt(++at) : sign;
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      word ??= "";
    } else if (sign === "\\") word = (word ?? "") + line.charAt(++at);
    else if (/\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (sign === "#" && word === undefined) break;
    else word = (word ?? "") + sign;
  }
  return word === undefined ? words : [...words, word];
}
