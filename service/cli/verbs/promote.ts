import { TerminalError } from "../../../components/errors.ts";
import { formatKey, isStageName } from "../../../infra/names.ts";
import type { ActionRequest } from "../../api/actions.ts";
import type { PreviewView } from "../../api/preview-view.ts";
import { promotedWords } from "../../stages/promotion.ts";
import { WrongUse } from "../../wrong-use.ts";
import type { Client } from "../client.ts";
import { connect } from "../context.ts";
import { createActivity } from "../live.ts";
import { timeoutOption } from "../options.ts";
import { conditionOf, plain, printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";
import { isSettled, isStopped } from "../waiting.ts";

/** Asks for a promotion, approves or cancels one; waits while nothing but the update is to be waited for. */
export const promote: RunVerb = async ({ args: [repository = "", from = "", to = ""], options, context }) => {
  for (const stage of [from, to]) {
    if (!isStageName(stage)) throw new WrongUse(`promoting "${repository}": "${stage}" is no name of a stage`);
  }
  if (options.approve && options.cancel) throw new WrongUse("promoting: give --approve or --cancel, not both");
  const client = await connect(options, context);
  const key = formatKey({ repository, stage: to });
  const before = await client.find(key);
  const asked = await client.act(key, requestOf(before, { from, options }));
  const now = await client.find(key);
  const sha = (asked.promotion ?? asked.promoted)?.sha;
  if (options.cancel || sha === undefined) {
    if (options.json) printJson(context.stdout, factsOf(now));
    else printLine(context.stdout, `${key}: the promotion is cancelled`);
    return 0;
  }
  const { waitsFor } = now.promotion ?? {};
  if (waitsFor !== undefined && !options.wait) {
    if (options.json) printJson(context.stdout, factsOf(now));
    else printLine(context.stdout, `${key}: ${waitsFor}`);
    return 0;
  }
  const activity = createActivity(context);
  const end = await untilServed(client, { before, sha, timeoutMs: timeoutOption(options.timeout) }, (preview) => {
    if (!options.json) activity.say(`${key}: ${stateOf(preview)}`);
  }).finally(() => activity.end());
  const isDone = end.commit === sha && end.condition === "Ready" && !isStopped(end);
  if (options.json) printJson(context.stdout, factsOf(end));
  else printLine(context.stdout, `${key}: ${isDone ? doneWords(end) : failedWords(end, sha)}`);
  return isDone ? 0 : 1;
};

function requestOf(
  { key, promotion }: PreviewView,
  { from, options }: { readonly from: string; readonly options: Readonly<Record<string, unknown>> },
): ActionRequest {
  if (!options.approve && !options.cancel) return { action: "promote", from };
  // What is approved or cancelled is what was read here, whatever is asked for meanwhile.
  const action = options.approve ? "approve-promotion" : "cancel-promotion";
  if (promotion) return { action, sha: promotion.sha, at: promotion.at };
  throw new TerminalError({
    reason: "PromotionRefused",
    userMessage: `${options.approve ? "approving" : "cancelling"} the promotion "${key}": no promotion is waiting`,
  });
}

interface Awaited {
  readonly before: PreviewView;
  readonly sha: string;
  readonly timeoutMs: number;
}

/** Until the commit serves, cannot, or is not asked for any more. */
function untilServed(
  client: Client,
  { before, sha, timeoutMs }: Awaited,
  onChange: (preview: PreviewView) => void,
): Promise<PreviewView> {
  const isOver = (now: PreviewView) => {
    if (now.promotion?.sha === sha) return isStopped(now);
    if (now.promoted?.sha !== sha) return true;
    return isStopped(now) || (isSettled(now) && (now.since !== before.since || now.commit === sha));
  };
  return client.waitFor(before.key, isOver, { timeoutMs, onChange });
}

function stateOf(preview: PreviewView): string {
  return plain(preview.promotion?.waitsFor ?? (preview.message || conditionOf(preview))).replace(/\.$/, "");
}

function doneWords({ promoted, url }: PreviewView): string {
  return `${promoted ? plain(promotedWords(promoted)) : ""} It is live: ${url}`;
}

function failedWords(preview: PreviewView, sha: string): string {
  const serves = preview.commit === undefined ? "nothing serves" : `${preview.commit.slice(0, 7)} serves`;
  return `${sha.slice(0, 7)} does not serve, ${serves}; it is ${conditionOf(preview)}: ${plain(preview.message)}`;
}

function factsOf({ key, url, condition, reason, commit, promotion, promoted, rolledBack }: PreviewView) {
  return { key, url, condition, reason, commit, promotion, promoted, rolledBack };
}
