import type { PreviewView } from "../api/preview-view.ts";
import { STOPPED } from "../reasons.ts";
import type { Client } from "./client.ts";
import type { CliContext } from "./context.ts";
import { createActivity } from "./live.ts";
import { conditionOf, plain, printJson, printLine } from "./output.ts";

export interface Waiting {
  readonly client: Client;
  readonly key: string;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly context: CliContext;
  readonly signal?: AbortSignal;
  /** What counts beside being ready; a redeploy waits for a newer release. */
  readonly settled?: (preview: PreviewView) => boolean;
}

/** Waits until the newest wish is served or cannot be; prints the outcome and resolves with the exit code. */
export async function waitUntilReady(asked: Waiting): Promise<number> {
  const { json, context, settled = () => true } = asked;
  const preview = await waitForPreview(asked, (now) => isStopped(now) || (isSettled(now) && settled(now)));
  const { url, condition, reason, message } = preview;
  const isLive = condition === "Ready" && !isStopped(preview);
  if (json) printJson(context.stdout, { key: preview.key, url, condition, reason });
  else if (isLive) printLine(context.stdout, `${preview.key} is live: ${url}`);
  else {
    printLine(context.stdout, `${preview.key} is ${conditionOf(preview)}: ${plain(message)}`);
    for (const line of preview.excerpt) printLine(context.stdout, `  ${plain(line)}`);
  }
  return isLive && preview.stage !== "Gone" ? 0 : 1;
}

/** Looks until `done` says so; what `passes` is waited through. */
export function waitForPreview(
  asked: Waiting,
  done: (preview: PreviewView) => boolean,
  passes?: (error: unknown) => boolean,
): Promise<PreviewView> {
  const { client, key } = asked;
  return told(asked, (onChange) =>
    client.waitFor(key, done, { ...options(asked), onChange, ...(passes ? { passes } : {}) }),
  );
}

/** Then there is nothing to wait for. */
export function isStopped({ reason }: PreviewView): boolean {
  return STOPPED.has(reason);
}

export async function waitUntilGone(asked: Waiting, passes?: (error: unknown) => boolean): Promise<number> {
  const { json, context } = asked;
  const preview = await waitForPreview(asked, (now) => now.stage === "Gone", passes);
  if (json) printJson(context.stdout, { key: preview.key, condition: preview.condition, reason: preview.reason });
  else printLine(context.stdout, `${preview.key} is gone: nothing of it is left`);
  return 0;
}

/** True when nothing more happens by itself: the newest commit serves, or a person must do something. */
export function isSettled({ condition, stage }: PreviewView): boolean {
  return condition !== "Reconciling" || stage === "Gone";
}

/** Says what is going on meanwhile, except to programs. */
async function told(
  { json, context }: Waiting,
  wait: (onChange: (preview: PreviewView) => void) => Promise<PreviewView>,
): Promise<PreviewView> {
  const activity = createActivity(context);
  try {
    return await wait((preview) => {
      if (!json) activity.say(`${preview.key}: ${plain(preview.message || conditionOf(preview)).replace(/\.$/, "")}`);
    });
  } finally {
    activity.end();
  }
}

function options({ timeoutMs, signal }: Waiting) {
  return { timeoutMs, ...(signal ? { signal } : {}) };
}
