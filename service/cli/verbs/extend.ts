import { parseDuration } from "../../config/duration.ts";
import { minuteOf } from "../../reason-words.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const extend: RunVerb = async ({ args: [given = "", time = ""], options, context }) => {
  const seconds = parseDuration(time);
  if (seconds === undefined) throw new WrongUse(`extending "${given}": "${time}" is no time such as 90m, 48h or 14d`);
  const client = await connect(options, context);
  const { key, extendedTo } = await client.act(given, { action: "extend", seconds });
  if (options.json) printJson(context.stdout, { key, extendedTo });
  else printLine(context.stdout, `${key} stays until ${minuteOf(extendedTo ?? "")} at least`);
  return 0;
};
