/** The reference of the command line, from the very program that parses it. */
import type { Command, Option } from "commander";
import { examples } from "../../service/cli/examples.ts";
import { nameOf, programOf } from "../../service/cli/program.ts";
import { verbGroups } from "../../service/cli/verbs.ts";
import { code, fenced, tableOf } from "./markdown.ts";

/** Options that every verb has: they are told once. */
const COMMON = ["--data", "--url", "--json"];

/** What parses commands and runs none of them: for tests and references. */
export function quietProgram(): Command {
  const screen = { write: () => true };
  const context = { environment: {}, directory: "/", stdout: screen, stderr: screen, version: "0.0.0" };
  return programOf(context, () => undefined);
}

/** A heading a verb: how it is called, its arguments and options, and what people type. */
export function cliReference(): string {
  const program = quietProgram();
  return verbGroups
    .flatMap(({ title, verbs }) => [
      `## ${title}`,
      ...verbs.flatMap((verb) => sectionOf(nameOf(verb), commandOf(program, nameOf(verb)))),
    ])
    .join("\n\n");
}

/** The options of every verb, and the program's own, as rows. */
export function commonOptions(): string {
  const [first] = quietProgram().commands;
  const options = (first?.options ?? []).filter(({ long }) => COMMON.includes(long ?? ""));
  return tableOf(["option", "meaning"], options.map(rowOf));
}

/** The command of a verb's name, such as `token create`. */
export function commandOf(program: Command, name: string): Command {
  const found = name
    .split(" ")
    .reduce<Command | undefined>((above, word) => above?.commands.find((command) => command.name() === word), program);
  if (!found) throw new Error(`looking for the verb "${name}": there is none`);
  return found;
}

function sectionOf(name: string, command: Command): readonly string[] {
  const options = command.options.filter(({ long }) => !COMMON.includes(long ?? ""));
  const given = command.registeredArguments
    .map((argument) => {
      const word = `${argument.name()}${argument.variadic ? "…" : ""}`.toUpperCase();
      return argument.required ? word : `[${word}]`;
    })
    .join(" ");
  const usage = ["stackling", name, given, options.length > 0 ? "[options]" : ""].filter(Boolean).join(" ");
  const typed = (examples[name] ?? []).map(([line, says]) => `stackling ${line}${says ? `   # ${says}` : ""}`);
  return [
    `### stackling ${name}`,
    `${code(usage)}: ${command.description()}.`,
    ...(options.length > 0 ? [tableOf(["option", "meaning"], options.map(rowOf))] : []),
    fenced("sh", typed.join("\n")),
  ];
}

function rowOf({ flags, description, defaultValue }: Option): readonly string[] {
  const standard = defaultValue === undefined ? "" : ` (default: ${String(defaultValue)})`;
  return [code(flags), `${description}${standard}`];
}
