import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import type { RunVerb } from "../verb.ts";
import { waitUntilReady } from "../waiting.ts";

export const redeploy: RunVerb = async ({ args: [given = ""], options, context }) => {
  const client = await connect(options, context);
  const before = await client.find(given);
  const { key } = await client.act(given, { action: "redeploy" });
  return waitUntilReady({
    client,
    key,
    timeoutMs: timeoutOption(options.timeout),
    json: options.json === true,
    context,
    // Until the wish is taken up the preview still shows how it was.
    settled: (now) => now.since !== before.since,
  });
};
