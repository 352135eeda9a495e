import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const keep: RunVerb = async ({ args: [given = ""], options, context }) => {
  const client = await connect(options, context);
  const { key, kept } = await client.act(given, { action: "keep", keep: options.off !== true });
  if (options.json) printJson(context.stdout, { key, kept });
  else if (!options.off) printLine(context.stdout, `${key} is kept: it sleeps when nobody looks, and is not removed`);
  else if (kept) printLine(context.stdout, `${key} is still kept, by the label of its pull request`);
  else printLine(context.stdout, `${key} is not kept any more: its times count from now`);
  return 0;
};
