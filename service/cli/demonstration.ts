/** The life of one pull request, each step timed from its trigger. */
import { setTimeout as pause } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import type { PreviewView } from "../api/preview-view.ts";
import type { ExampleRepository } from "../embedded/example.ts";
import { demonstration } from "../embedded/example-changes.ts";
import type { Client } from "./client.ts";
import { readText, send } from "./http.ts";
import type { DemoStep } from "./verbs/demo.ts";

const GIT_BRANCH = "demo/greeting";
const STEP_WITHIN_MS = 180_000;
const LOOK_EVERY_MS = 50;

export interface Demonstration {
  readonly client: Client;
  readonly repository: ExampleRepository;
  readonly report: (step: DemoStep) => void;
  readonly signal: AbortSignal;
}

/** Opens, pushes, closes; a step counts when the world shows it: the page's own words, the address gone. */
export async function runDemonstration({ client, repository, report, signal }: Demonstration): Promise<void> {
  const timer = stopwatch();
  await repository.commit(GIT_BRANCH, demonstration.opened);
  report({ step: "opened", ms: timer.sinceStart() });
  timer.begin();
  const live = await until(signal, () => shows(client, signal, headlineOf(demonstration.opened)));
  report({ step: "live", ms: timer.sinceStart(), url: live.url });
  timer.begin();
  await repository.commit(GIT_BRANCH, demonstration.pushed);
  report({ step: "pushed", ms: timer.sinceStart() });
  timer.begin();
  const updated = await until(signal, () => shows(client, signal, headlineOf(demonstration.pushed)));
  report({ step: "updated", ms: timer.sinceStart(), url: updated.url });
  timer.begin();
  await repository.deleteBranch(GIT_BRANCH);
  report({ step: "closed", ms: timer.sinceStart() });
  timer.begin();
  await until(signal, async () => {
    const preview = await client.find(live.key);
    return preview.stage === "Gone" ? preview : stalled(preview);
  });
  report({ step: "gone", ms: timer.sinceStart() });
}

function headlineOf({ edits }: (typeof demonstration)["opened"]): string {
  return edits[0]?.by ?? "";
}

/** The preview once its page holds the words. */
async function shows(client: Client, signal: AbortSignal, words: string): Promise<PreviewView | undefined> {
  const preview = (await client.list())[0];
  if (!preview) return undefined;
  if (!preview.url) return stalled(preview);
  const page = await readText(await send(preview.url, { headers: { accept: "text/html" }, signal }));
  return page.includes(words) ? preview : stalled(preview);
}

function stalled({ condition, reason, message, excerpt }: PreviewView): undefined {
  if (condition === "Stalled")
    throw new StacklingError({ reason, userMessage: `the demonstration: ${reason}: ${message}`, excerpt });
}

async function until<T>(signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + STEP_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) {
      throw new StacklingError({
        reason: "TimedOut",
        userMessage: `the demonstration: a step took more than ${STEP_WITHIN_MS / 1000} s`,
      });
    }
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

function stopwatch() {
  let start = performance.now();
  return {
    begin: () => {
      start = performance.now();
    },
    sinceStart: () => Math.round(performance.now() - start),
  };
}
