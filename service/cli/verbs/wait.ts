import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import type { RunVerb } from "../verb.ts";
import { waitUntilGone, waitUntilReady } from "../waiting.ts";

export const wait: RunVerb = async ({ args: [key = ""], options, context }) => {
  const client = await connect(options, context);
  const asked = { client, key, timeoutMs: timeoutOption(options.timeout), json: options.json === true, context };
  return options.gone ? waitUntilGone(asked) : waitUntilReady(asked);
};
