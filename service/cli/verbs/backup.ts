import { resolve } from "node:path";
import { backUp } from "../../backup/backup.ts";
import { printJson, printLine } from "../output.ts";
import { withStore } from "../store-at-hand.ts";
import type { RunVerb } from "../verb.ts";

export const backup: RunVerb = async ({ args, options, context }) => {
  const file = resolve(context.directory, args[0] ?? "");
  const now = new Date().toISOString();
  const result = await withStore({ options, context }, (url) => backUp({ url, file, now }));
  if (options.json) printJson(context.stdout, { file, ...result });
  else {
    printLine(context.stdout, `wrote ${result.rows} rows of ${result.tables} tables to "${file}"`);
    printLine(context.stdout, "  it holds no secrets: keep the Pulumi state and its passphrase beside it");
  }
  return 0;
};
