import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { ConfigError } from "../../../components/errors.ts";
import { parseApplication } from "../../config/application.ts";
import { defaultLimits } from "../../config/defaults.ts";
import { findMissingReferences, type MissingReference } from "../../config/missing-references.ts";
import { parseOperator } from "../../config/operator.ts";
import { WrongUse } from "../../wrong-use.ts";
import { dataDirOf } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const configCheck: RunVerb = async ({ args: [given = ""], options, context }) => {
  const path = resolve(context.directory, given);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new WrongUse(
      `reading "${given}": ${error.code === "ENOENT" ? "there is no such file" : error.message}`,
      error,
    );
  });
  const dataDir = dataDirOf(options, context);
  let missing: readonly MissingReference[] = [];
  try {
    if (/^preview\.ya?ml$/.test(basename(path))) parseApplication(text, { file: given, limits: defaultLimits });
    else {
      const config = await parseOperator(text, { file: given, directory: dirname(path), dataDir });
      missing = await findMissingReferences(config, { environment: context.environment, dataDir });
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (options.json) printJson(context.stdout, { file: given, ok: false, problems: error.problems });
    else printLine(context.stderr, error.userMessage);
    return 1;
  }
  if (options.json) {
    printJson(context.stdout, { file: given, ok: true, problems: [], missing });
    return 0;
  }
  printLine(context.stdout, `${given} is right`);
  if (missing.length > 0) printLine(context.stdout, "but it refers to what is not here; the service needs it:");
  for (const { path: where, message } of missing) printLine(context.stdout, `  ${where}: ${message}`);
  return 0;
};
