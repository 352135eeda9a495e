import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pino } from "pino";
import { restore as putBack } from "../../backup/backup.ts";
import { isRunning, readInstance } from "../../embedded/instance.ts";
import { openStore } from "../../store/postgres.ts";
import { WrongUse } from "../../wrong-use.ts";
import { dataDirOf } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import { withStore } from "../store-at-hand.ts";
import type { RunVerb } from "../verb.ts";

export const restore: RunVerb = async ({ args, options, context }) => {
  const file = resolve(context.directory, args[0] ?? "");
  await access(file).catch((error: unknown) => {
    throw new WrongUse(`restoring "${file}": the file cannot be read`, error);
  });
  const dataDir = dataDirOf(options, context);
  const instance = await readInstance(dataDir);
  if (instance && (await isRunning(instance))) {
    throw new WrongUse(`restoring "${file}": the service runs on "${dataDir}"; stop it first with stackling stop`);
  }
  const result = await withStore({ options, context }, async (url) => {
    // Makes the tables where there are none yet.
    const now = () => new Date().toISOString();
    const store = await openStore({ url, holder: "restore", logger: pino({ level: "silent" }), now });
    await store.close();
    return putBack({ url, file });
  });
  if (options.json) printJson(context.stdout, { file, ...result });
  else printLine(context.stdout, `restored ${result.rows} rows; the next start looks at every preview`);
  return 0;
};
