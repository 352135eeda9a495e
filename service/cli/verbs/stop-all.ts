import { userInfo } from "node:os";
import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const stopAll: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const pause = await client.pause(true, userName());
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

/** For whoever wonders who it was; a user without a name has none. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
