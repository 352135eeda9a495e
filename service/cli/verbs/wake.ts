import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import type { RunVerb } from "../verb.ts";
import { waitUntilReady } from "../waiting.ts";

export const wake: RunVerb = async ({ args: [given = ""], options, context }) => {
  const client = await connect(options, context);
  const timeoutMs = timeoutOption(options.timeout);
  const { key } = await client.act(given, { action: "wake" });
  return waitUntilReady({
    client,
    key,
    timeoutMs,
    json: options.json === true,
    context,
    settled: ({ awake, condition }) => awake || condition === "Stalled",
  });
};
