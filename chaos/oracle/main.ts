/**
 * The oracle: says what of previews is there that should not be, and what is not there that should. A
 * program of its own that never reads the store: it looks at processes, databases, files, control groups,
 * hosts, and at the forge. Exit code 0: all is well; 1: it found something; 2: it could not look.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { look } from "./look.ts";
import { placeSchema } from "./place.ts";
import { isClean } from "./report.ts";
import { tableOf } from "./table.ts";
import { REAL_TIME, watch } from "./watch.ts";

interface Options {
  readonly json?: boolean;
  readonly within: number;
}

const command = new Command("node chaos/oracle/main.ts")
  .description("Compares the world of a data folder with the forge's open pull requests.")
  .argument(
    "<place>",
    'JSON file that says where to look, "-" for standard input; its keys are in chaos/oracle/place.ts',
  )
  .option("--json", "prints one JSON object in place of tables")
  .option("--within <seconds>", "looks again until all is well or this is past", parseSeconds, 0)
  .parse();
// Connections that are kept for another request are not waited for.
process.exit(await main(command.args[0] ?? "-", command.opts<Options>()));

async function main(file: string, { json, within }: Options): Promise<number> {
  try {
    const place = placeSchema.parse(JSON.parse(await (file === "-" ? text(process.stdin) : readFile(file, "utf8"))));
    const report = await watch({ look: () => look(place), ...REAL_TIME }, within * 1000);
    console.log(json ? JSON.stringify(report) : tableOf(report));
    return isClean(report) ? 0 : 1;
  } catch (error) {
    console.error(`the oracle could not look: ${wordsOf(error)}`);
    return 2;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

function parseSeconds(typed: string): number {
  const seconds = Number(typed);
  if (typed.trim() !== "" && Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new InvalidArgumentError("It must be a number of seconds from 0.");
}
