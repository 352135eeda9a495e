import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const stopAll: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const pause = await client.pause(true);
  if (options.json) printJson(context.stdout, { pause });
  else
    printLine(
      context.stdout,
      'everything is stopped: nothing new is brought up and every preview goes to sleep, until "stackling resume-all"',
    );
  return 0;
};

export const resumeAll: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const pause = await client.pause(false);
  if (options.json) printJson(context.stdout, { pause });
  else printLine(context.stdout, "everything goes on");
  return 0;
};
