import type { Difference } from "../../../infra/stacks.ts";
import type { PreviewView } from "../../api/preview-view.ts";
import { driftWords } from "../../drift/words.ts";
import type { Client } from "../client.ts";
import { connect } from "../context.ts";
import { age, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb, VerbCall } from "../verb.ts";
import { isSettled, isStopped } from "../waiting.ts";

const REPAIR_WITHIN_MS = 600_000;

/** With a key it looks now; without one it lists what the looks on schedule found, unless it is to repair all. */
export const drift: RunVerb = async (call) => {
  const { args, options, context } = call;
  const [given] = args;
  const client = await connect(options, context);
  if (given !== undefined) return compareAll(client, [await client.find(given)], call);
  const live = (await client.list()).filter((preview) => preview.url);
  return options.repair ? compareAll(client, live, call) : listSeen(live, call);
};

async function compareAll(
  client: Client,
  asked: readonly PreviewView[],
  { options, context }: VerbCall,
): Promise<number> {
  let left = 0;
  for (const { key, since } of asked) {
    const { differences } = await client.drift(key);
    let repaired = false;
    if (options.repair && differences.length > 0) {
      await client.act(key, { action: "repair" });
      const isOver = (now: PreviewView) => isStopped(now) || (now.since !== since && isSettled(now));
      const after = await client.waitFor(key, isOver, { timeoutMs: REPAIR_WITHIN_MS });
      repaired = after.condition === "Ready" && !isStopped(after);
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
    for (const { message } of differences) printLine(context.stdout, `${key}: ${plain(message)}`);
    if (repaired) printLine(context.stdout, `${key}: repaired`);
  }
}

function listSeen(previews: readonly PreviewView[], { options, context }: VerbCall): number {
  const isClean = previews.every(({ drift: seen }) => (seen?.differences.length ?? 0) === 0 && !seen?.unread);
  if (options.json) {
    for (const { key, drift: seen } of previews) {
      const { at, since, differences = [], unread } = seen ?? {};
      printJson(context.stdout, { key, lookedAt: at ?? null, differences, since, unread });
    }
    return isClean ? 0 : 1;
  }
  if (previews.length === 0) {
    printLine(context.stdout, "there is no live preview to compare with the world");
    return 0;
  }
  const now = new Date();
  const columns = [
    { title: "KEY", value: ({ key }: PreviewView) => key },
    { title: "LOOKED AT", value: ({ drift: seen }: PreviewView) => (seen?.at ? `${age(seen.at, now)} ago` : "never") },
    { title: "DRIFT", value: foundOf, shrinks: true },
  ];
  printLine(context.stdout, table(previews, columns, context));
  return isClean ? 0 : 1;
}

function foundOf({ drift: seen }: PreviewView): string {
  if (!seen) return "not known yet";
  if (seen.unread) return `could not be read: ${seen.unread.message}`;
  return seen.differences.length === 0 ? "none" : driftWords(seen.differences);
}
