import { StacklingError } from "../../../components/errors.ts";
import type { PreviewView } from "../../api/preview-view.ts";
import { BYPASS_COOKIE, BYPASS_HEADER } from "../../gateway/access/own-paths.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import { conditionOf, plain, printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";
import { isSettled, isStopped, type Waiting, waitForPreview, waitUntilGone } from "../waiting.ts";
import { type CommitOutcome, outcomeOf } from "../waiting-for-commit.ts";

/** What may pass while a job waits: the service is started anew, */
const AWAY: ReadonlySet<string> = new Set(["ServiceAway", "StoreUnavailable"]);
/** or the push is on its way. */
const ON_ITS_WAY: ReadonlySet<string> = new Set([...AWAY, "NotFound"]);
const isOf = (passing: ReadonlySet<string>) => (error: unknown) =>
  error instanceof StacklingError && passing.has(error.reason);

export const wait: RunVerb = async ({ args: [key = ""], options, context }) => {
  const { sha } = options;
  if (sha !== undefined && (typeof sha !== "string" || !/^[0-9a-f]{7,64}$/.test(sha))) {
    throw new WrongUse(`reading --sha: "${sha}" is no commit; give seven digits of its id or more`);
  }
  const client = await connect(options, context);
  const asked = { client, key, timeoutMs: timeoutOption(options.timeout), json: options.json === true, context };
  if (options.gone) return waitUntilGone(asked, isOf(AWAY));
  const { preview, outcome } = typeof sha === "string" ? await waitForCommit(asked, sha) : await waitForNewest(asked);
  tell(asked, preview, outcome);
  return outcome.kind === "ready" ? 0 : 1;
};

interface Ended {
  readonly preview: PreviewView;
  readonly outcome: CommitOutcome;
}

async function waitForNewest(asked: Waiting): Promise<Ended> {
  const preview = await waitForPreview(asked, (now) => isStopped(now) || isSettled(now), isOf(AWAY));
  const { condition, reason, message, stage } = preview;
  const isLive = condition === "Ready" && !isStopped(preview) && stage !== "Gone";
  return { preview, outcome: isLive ? { kind: "ready" } : { kind: "failed", reason, message } };
}

async function waitForCommit(asked: Waiting, sha: string): Promise<Ended> {
  let headSince: number | undefined;
  let outcome: CommitOutcome = { kind: "waiting" };
  const preview = await waitForPreview(
    asked,
    (now) => {
      const at = performance.now();
      outcome = outcomeOf(now, sha, headSince === undefined ? undefined : at - headSince);
      if (now.headSha?.startsWith(sha)) headSince ??= at;
      return outcome.kind !== "waiting";
    },
    isOf(ON_ITS_WAY),
  );
  return { preview, outcome };
}

function tell({ json, context: { stdout } }: Waiting, preview: PreviewView, outcome: CommitOutcome): void {
  const { key, url, urls, commit, headSha, condition, reason, message } = preview;
  const failed = outcome.kind === "failed" ? outcome : undefined;
  if (json) {
    printJson(stdout, {
      ...{ key, url, urls, commit, headSha, condition },
      ...(failed ? { reason: failed.reason, message: failed.message } : { reason, message }),
      // How a test runner passes a door; the token is the operator's to give.
      bypass: { header: BYPASS_HEADER, cookie: BYPASS_COOKIE },
    });
    return;
  }
  if (!failed) {
    printLine(stdout, `${key} is live: ${url}`);
    for (const [name, other] of Object.entries(urls)) if (other !== url) printLine(stdout, `  ${name}: ${other}`);
    return;
  }
  const said = failed.reason === reason ? conditionOf(preview) : failed.reason;
  printLine(stdout, `${key} is ${said}: ${plain(failed.message)}`);
  for (const line of preview.excerpt) printLine(stdout, `  ${plain(line)}`);
}
