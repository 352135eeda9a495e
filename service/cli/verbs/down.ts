import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import type { RunVerb } from "../verb.ts";
import { waitUntilGone } from "../waiting.ts";

export const down: RunVerb = async ({ args: [given = ""], options, context }) => {
  const client = await connect(options, context);
  const { key } = await client.act(given, { action: "down", ...(options.confirm ? { confirm: true } : {}) });
  return waitUntilGone({
    client,
    key,
    timeoutMs: timeoutOption(options.timeout),
    json: options.json === true,
    context,
  });
};
