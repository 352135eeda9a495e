import type { Difference } from "../../../infra/stacks.ts";
import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";
import { isSettled } from "../waiting.ts";

const REPAIR_WITHIN_MS = 600_000;

export const drift: RunVerb = async ({ args: [given], options, context }) => {
  const client = await connect(options, context);
  const asked =
    given === undefined ? (await client.list()).filter((preview) => preview.url) : [await client.find(given)];
  let left = 0;
  for (const { key, since } of asked) {
    const { differences } = await client.drift(key);
    let repaired = false;
    if (options.repair && differences.length > 0) {
      await client.act(key, { action: "repair" });
      const after = await client.waitFor(key, (now) => now.since !== since && isSettled(now), {
        timeoutMs: REPAIR_WITHIN_MS,
      });
      repaired = after.condition === "Ready";
    }
    if (!repaired) left += differences.length;
    if (options.json) printJson(context.stdout, { key, differences, ...(options.repair ? { repaired } : {}) });
    else report(key, { differences, repaired });
  }
  return left === 0 ? 0 : 1;

  function report(
    key: string,
    { differences, repaired }: { differences: readonly Difference[]; repaired: boolean },
  ): void {
    if (differences.length === 0) printLine(context.stdout, `${key}: all is as it should be`);
    for (const { message } of differences) printLine(context.stdout, `${key}: ${message}`);
    if (repaired) printLine(context.stdout, `${key}: repaired`);
  }
};
