import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import { conditionOf, plain, printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const sleep: RunVerb = async ({ args: [given = ""], options, context }) => {
  const client = await connect(options, context);
  const timeoutMs = timeoutOption(options.timeout);
  const { key } = await client.act(given, { action: "sleep" });
  const preview = await client.waitFor(
    key,
    // Of one that never served there is nothing to wait for.
    (now) => !now.awake || now.condition === "Stalled" || (now.commit === undefined && now.condition === "Ready"),
    { timeoutMs },
  );
  const { awake, condition, reason, message } = preview;
  if (options.json) printJson(context.stdout, { key, awake, condition, reason });
  else if (awake) printLine(context.stdout, `${key} is ${conditionOf(preview)}: ${plain(message)}`);
  else printLine(context.stdout, `${key} is asleep: a visit, a push or \`stackling wake '${key}'\` wakes it`);
  return awake ? 1 : 0;
};
