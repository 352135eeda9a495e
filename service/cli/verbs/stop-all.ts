import { userInfo } from "node:os";
import { budgetOf } from "../../money/budgets/words.ts";
import type { Pause } from "../../store/operation.ts";
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
  else printLine(context.stdout, resumedWords(pause));
  return 0;
};

/** One stop is taken back at a time: behind a person's a budget may hold. */
export function resumedWords(pause: Pick<Pause, "by"> | null): string {
  if (!pause) return "everything goes on";
  const name = budgetOf(pause.by);
  if (name === undefined) return `everything is stopped anew, as asked by "${pause.by}"`;
  return `that stop is over, but the budget "${name}" stops everything still: "stackling budget lift ${name} --for 48h" lifts it, "stackling resume-all" once more does so until the month ends`;
}

/** For whoever wonders who it was; a user without a name has none. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
