import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openExample } from "../../embedded/example.ts";
import { demonstration } from "../../embedded/example-changes.ts";
import { freePort } from "../../embedded/port.ts";
import { removeDataDir } from "../../embedded/remove.ts";
import type { Client } from "../client.ts";
import type { CliContext } from "../context.ts";
import { type Demonstration, runDemonstration } from "../demonstration.ts";
import { inForeground, untilAborted } from "../foreground.ts";
import { createActivity } from "../live.ts";
import { portOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { exampleFolder, type Foreground, needEngine, startInForeground } from "../start-embedded.ts";
import type { RunVerb } from "../verb.ts";
import { watchPreviews } from "../watch.ts";

/** A data folder and port of its own, both gone afterwards whatever happens. */
export const demo: RunVerb = async ({ options, context }) => {
  const json = options.json === true;
  const port = portOption(options.port) || (await freePort());
  await needEngine(context);
  const dataDir = await mkdtemp(join(tmpdir(), "stackling-demo-"));
  return inForeground(context, {
    start: () => startIn(dataDir, { port, quiet: json }, context),
    stop: async ({ instance }) => {
      await instance.stop().finally(() => removeDataDir(dataDir));
    },
    work: async ({ client }, signal) => {
      const repository = await openExample(exampleFolder(dataDir), []);
      if (options.once) {
        await showOnce({ client, repository, signal }, { json, context });
        return 0;
      }
      await repository.commit("demo/greeting", demonstration.opened);
      return showUntilStopped(client, context, { signal, json, path: repository.path });
    },
  });
};

async function startIn(
  dataDir: string,
  { port, quiet }: { readonly port: number; readonly quiet: boolean },
  context: CliContext,
): Promise<Foreground> {
  try {
    // Previews and Postgres run as other users and must pass through.
    await chmod(dataDir, 0o711);
    return await startInForeground({ dataDir, port, example: [], quiet }, context);
  } catch (error) {
    await removeDataDir(dataDir);
    throw error;
  }
}

export interface DemoStep {
  readonly step: "opened" | "live" | "pushed" | "updated" | "closed" | "gone";
  /** Since that step's trigger: a push for `live` and `updated`, the close for `gone`. */
  readonly ms: number;
  readonly url?: string;
}

const MEANWHILE: Readonly<Partial<Record<DemoStep["step"], string>>> = {
  opened: "making the preview",
  pushed: "releasing the new commit",
  closed: "removing everything it owns",
};

async function showOnce(
  demonstration: Omit<Demonstration, "report">,
  { json, context }: { readonly json: boolean; readonly context: CliContext },
): Promise<void> {
  let activity = createActivity(context);
  const report = (step: DemoStep) => {
    if (json) return printJson(context.stdout, step);
    activity.end();
    printLine(context.stdout, inWords(step));
    activity = createActivity(context);
    const doing = MEANWHILE[step.step];
    if (doing) activity.say(doing);
  };
  try {
    await runDemonstration({ ...demonstration, report });
  } finally {
    activity.end();
  }
}

async function showUntilStopped(
  client: Client,
  context: CliContext,
  { signal, json, path }: { readonly signal: AbortSignal; readonly json: boolean; readonly path: string },
): Promise<number> {
  if (json) {
    printJson(context.stdout, { url: client.url, login: await client.loginLink(), repository: path });
    await untilAborted(signal);
    return 0;
  }
  printLine(context.stdout, `the page, logged in:  ${await client.loginLink()}`);
  printLine(context.stdout, `the repository:       ${path}   (commit on a git branch of it and watch)`);
  printLine(context.stdout, "Ctrl-C ends it and removes everything");
  await watchPreviews(client, context, signal);
  return 0;
}

function inWords({ step, ms, url }: DemoStep): string {
  return `${step.padEnd(8)} ${String(ms).padStart(6)} ms${url ? `  ${url}` : ""}`;
}
