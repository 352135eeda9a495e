/** Verbs whose work is an update of the same commit, which is waited for. */
import type { ActionRequest } from "../../api/actions.ts";
import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import type { RunVerb, VerbCall } from "../verb.ts";
import { waitUntilReady } from "../waiting.ts";

export const redeploy: RunVerb = (call) => updated(call, { action: "redeploy" });
export const resetDatabase: RunVerb = (call) => updated(call, { action: "reset-db" });
export const rotate: RunVerb = (call) => updated(call, { action: "rotate" });

export const seed: RunVerb = (call) => {
  const [, scenario] = call.args;
  return updated(call, { action: "seed", ...(scenario === undefined ? {} : { scenario }) });
};

async function updated({ args: [given = ""], options, context }: VerbCall, wish: ActionRequest): Promise<number> {
  const client = await connect(options, context);
  const before = await client.find(given);
  const { key } = await client.act(given, wish);
  return waitUntilReady({
    client,
    key,
    timeoutMs: timeoutOption(options.timeout),
    json: options.json === true,
    context,
    // Until the wish is taken up the preview still shows how it was.
    settled: (now) => now.since !== before.since,
  });
}
