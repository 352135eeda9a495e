import { SHARE_SECONDS } from "../../api/routes/share.ts";
import { parseDuration } from "../../config/duration.ts";
import { minuteOf } from "../../reason-words.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { textOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const share: RunVerb = async ({ args: [given = ""], options, context }) => {
  const time = textOption(options.for);
  const seconds = time === undefined ? SHARE_SECONDS : parseDuration(time);
  if (seconds === undefined) throw new WrongUse(`sharing "${given}": "${time}" is no time such as 90m, 24h or 7d`);
  const [to, service] = [textOption(options.to), textOption(options.service)];
  if (to !== undefined && !to.startsWith("/"))
    throw new WrongUse(`sharing "${given}": "${to}" does not begin with "/"`);
  const client = await connect(options, context);
  const link = await client.share(given, { seconds, to, service });
  if (options.json) printJson(context.stdout, link);
  else {
    printLine(context.stdout, link.url);
    printLine(context.stdout, `whoever has it gets in, until ${minuteOf(link.expiresAt)}`);
  }
  return 0;
};
