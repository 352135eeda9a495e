/** The command line: one line per verb, each a file in `verbs/`, loaded when it is called. */
import { Command, CommanderError } from "commander";
import { StacklingError } from "../../components/errors.ts";
import { WrongUse } from "../wrong-use.ts";
import type { CliContext } from "./context.ts";
import { examples } from "./examples.ts";
import { plain, printLine } from "./output.ts";
import type { Verb } from "./verb.ts";
import { verbGroups } from "./verbs.ts";

const KEY = "shop#42, shop@branch, shop:staging (a stage) or the stack's name";

const CLOSING = `
A key is ${KEY}.
A service elsewhere: STACKLING_URL, with a token in STACKLING_TOKEN.
Exit codes: 0 done, 1 failed, 2 wrong use.

First steps:
  stackling demo --once     # the whole life of a pull request; leaves nothing
  stackling up ../my-app    # a preview of any git repository`;

/** Runs one command line (without node and script). Resolves with the exit code: 0 done, 1 failed, 2 wrong use. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  let code = 0;
  const program = programOf(context, (result) => {
    code = result;
  });
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return report(error, context);
  }
}

/** Every verb with its options; parsing runs what was named and tells `finish` its exit code. */
export function programOf(context: CliContext, finish: (code: number) => void): Command {
  const program = new Command("stackling")
    .description("A Pulumi stack for every pull request.")
    .version(context.version)
    .showHelpAfterError("(stackling --help lists every verb)")
    .showSuggestionAfterError()
    .addHelpText("after", CLOSING);
  settle(program, context);
  for (const { title, verbs } of verbGroups) {
    program.commandsGroup(`${title}:`);
    for (const verb of verbs) register(program, verb, context, finish);
  }
  // In the last group; else it would stand in one of its own.
  program.helpCommand(true);
  return program;
}

function register(program: Command, verb: Verb, context: CliContext, finish: (code: number) => void): void {
  const parent = verb.parent === undefined ? program : parentOf(program, verb.parent, context);
  const command = parent.command(verb.usage).description(verb.description);
  settle(command, context);
  const key = command.registeredArguments.find((argument) => argument.name() === "key");
  if (key) key.description = KEY;
  command
    .option("--data <dir>", "data folder of the instance (default: STACKLING_DATA, else one per user)")
    .option("--url <url>", "service elsewhere, with its token in STACKLING_TOKEN (default: STACKLING_URL)")
    .option("--json", "JSON in place of text");
  for (const [flags, description, fallback] of verb.options ?? []) command.option(flags, description, fallback);
  command.addHelpText("after", examplesOf(nameOf(verb)));
  command.action(async (...given: unknown[]) => {
    const run = await verb.load();
    const positional = given
      .slice(0, -2)
      .flat()
      .filter((value) => value !== undefined)
      .map(String);
    finish(await run({ args: positional, options: command.optsWithGlobals(), context }));
  });
}

/** As it is typed: `token create`. */
export function nameOf({ parent, usage }: Pick<Verb, "parent" | "usage">): string {
  const [name = ""] = usage.split(" ");
  return parent === undefined ? name : `${parent[0]} ${name}`;
}

function examplesOf(verb: string): string {
  const lines = (examples[verb] ?? []).map(([command, says]) => `  stackling ${command}${says ? `   # ${says}` : ""}`);
  return lines.length === 0 ? "" : `\nExamples:\n${lines.join("\n")}`;
}

function parentOf(program: Command, [name, description]: NonNullable<Verb["parent"]>, context: CliContext): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known) return known;
  const parent = program.command(name).description(description);
  settle(parent, context);
  return parent;
}

function settle(command: Command, { stdout, stderr }: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    getOutHelpWidth: () => stdout.columns ?? 100,
    getErrHelpWidth: () => stderr.columns ?? 100,
  });
}

function report(error: unknown, { stderr, environment }: CliContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof StacklingError) {
    printLine(stderr, plain(error.userMessage));
    for (const line of error.excerpt) printLine(stderr, `  ${plain(line)}`);
    // Who holds it is no matter for comments; on the machine itself it is the way out.
    if (error.reason === "Locked" && error.cause instanceof Error) printLine(stderr, `  ${plain(error.cause.message)}`);
  } else if (!(error instanceof Error && error.name === "AbortError")) {
    printLine(stderr, `something went wrong: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (environment.STACKLING_DEBUG) console.error(error);
  return error instanceof WrongUse ? 2 : 1;
}
