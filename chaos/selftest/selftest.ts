/** `npm run chaos -- --selftest`: plants strays in a world that is well, and sees whether the oracle names exactly these. */
import { rm } from "node:fs/promises";
import process from "node:process";
import { execa } from "execa";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { stopLeftovers } from "../../service/embedded/leftovers.ts";
import { type Instance, prepareInstance } from "../../test/e2e/support/instance.ts";
import { tinyApp } from "../../test/e2e/support/tiny-app.ts";
import { createRepository, type TestRepository } from "../../test/support/git-repository.ts";
import { listProcesses } from "../oracle/processes.ts";
import { askOracle, countsOf, isClean, type Report } from "../oracle/report.ts";
import { columns, tableOf } from "../oracle/table.ts";
import { type Planted, plantOrphans } from "./plants.ts";

export interface SelftestResult {
  readonly planted: readonly Planted[];
  /** As the oracle named them. */
  readonly named: readonly string[];
  /** The looks before the planting and after all was taken away, which must find nothing. */
  readonly before: Report;
  readonly after: Report;
}

const WITHIN_MS = 30_000;

/** Prints what it did and found; resolves with the exit code. Leaves nothing behind, also when aborted. */
export async function runSelftest(signal: AbortSignal): Promise<number> {
  const { planted, named, before, after } = await selftest(signal);
  const strangers = named.filter((name) => !planted.some((plant) => plant.name === name));
  console.log(
    columns([
      ["planted", "which is", "named"],
      ...planted.map(({ what, name }) => [what, name, named.includes(name) ? "yes" : "NO"]),
      ...strangers.map((name) => ["nothing", name, "YES, and it should not be"]),
    ]),
  );
  const missed = planted.filter(({ name }) => !named.includes(name));
  console.log(
    `before: ${countsOf(before)}; planted ${planted.length}, named ${named.length}; after: ${countsOf(after)}`,
  );
  for (const report of [before, after]) if (!isClean(report)) console.log(tableOf(report));
  const good = missed.length + strangers.length === 0 && isClean(before) && isClean(after);
  console.log(good ? "the oracle named exactly these" : "the oracle is NOT to be trusted");
  return good ? 0 : 1;
}

/** Rejects when the world could not be made, or with the signal's reason. */
export async function selftest(signal: AbortSignal): Promise<SelftestResult> {
  const undo: (() => Promise<unknown>)[] = [];
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // It is only of interest to whoever waits at that moment.
  aborted.catch(() => undefined);
  try {
    return await run({ undo, signal, until: (work) => Promise.race([work, aborted]) });
  } finally {
    for (const step of undo.toReversed()) await step().catch((error: unknown) => console.error(error));
  }
}

interface Course {
  /** What is made is registered here at once. */
  readonly undo: (() => Promise<unknown>)[];
  readonly signal: AbortSignal;
  /** For what takes its time: rejects when aborted. What only takes a moment is left to end. */
  readonly until: <T>(work: Promise<T>) => Promise<T>;
}

async function run({ undo, signal, until }: Course): Promise<SelftestResult> {
  const repository = await createRepository({ files: tinyApp({ text: "main" }) });
  undo.push(() => repository.remove());
  const instance = await prepareInstance({
    config: (port) => `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: tiny }\n`,
  });
  undo.push(() => removeInstance(instance));
  await until(instance.start());
  const previews = await until(openPreviews(repository, instance));
  const { dataDir, port } = instance;
  const ask = (path: string, withinMs: number) =>
    askOracle({ dataDir, port, repositories: [{ kind: "local", name: "tiny", path }] }, { withinMs, signal });
  const before = await ask(repository.path, WITHIN_MS);

  const planted: Planted[] = [];
  const takeAway = async () => {
    for (const { undo: remove } of planted.toReversed()) await remove();
  };
  undo.push(takeAway);
  let strangers = 900;
  const strange = () => `tiny-pr-${++strangers}`;
  await plantOrphans({ dataDir, living: previews.well.stack, strange }, planted, signal);
  const ahead = await plantLostPush(repository, previews.pushed, planted);
  await plantStuck(dataDir, previews.frozen, planted);
  const report = await ask(ahead, 0);

  await takeAway();
  const after = await ask(repository.path, WITHIN_MS);
  return { planted, named: namesOf(report), before, after };
}

type Named = Pick<PreviewView, "key" | "stack">;

/** One that stays well, one whose push will be lost, one that will stand still; and one that was closed. */
async function openPreviews(repository: TestRepository, instance: Instance) {
  const open = async (gitBranch: string): Promise<Named> => {
    const sha = await repository.commit(gitBranch, { "text.txt": gitBranch });
    return instance.waitForBranch(gitBranch, (p) => p.reason === "Healthy" && p.commit === sha, "live");
  };
  const [well, pushed, frozen, closed] = await Promise.all([
    open("well"),
    open("pushed"),
    open("frozen"),
    open("over"),
  ]);
  await repository.deleteBranch("over");
  await instance.waitFor(closed.key, ({ stage }) => stage === "Gone", "gone");
  return { well, pushed, frozen };
}

/** A forge that has a push of which the service never hears: a copy of its own, one commit ahead. */
async function plantLostPush(repository: TestRepository, { key }: Named, planted: Planted[]): Promise<string> {
  const ahead = `${repository.path}-ahead`;
  planted.push({
    what: "push that the service never saw",
    name: `lost ${key}`,
    undo: () => rm(ahead, { recursive: true, force: true }),
  });
  await execa("git", ["clone", "--quiet", "--mirror", repository.path, ahead]);
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const git = (...args: string[]) => execa("git", ["-C", ahead, ...identity, ...args]);
  const head = "refs/heads/pushed";
  const made = await git("commit-tree", "-p", head, "-m", "Nobody was told", `${head}^{tree}`);
  await git("update-ref", head, made.stdout);
  return ahead;
}

/** Every process of it stands still: connections are taken and never answered. */
async function plantStuck(dataDir: string, { key, stack }: Named, planted: Planted[]): Promise<void> {
  const processes = (await listProcesses(dataDir)).filter((thing) => thing.stack === stack);
  const signalAll = (name: NodeJS.Signals) => {
    for (const { id } of processes) process.kill(Number(id), name);
  };
  planted.push({
    what: "preview that stands still",
    name: `stuck ${key}`,
    undo: async () => signalAll("SIGCONT"),
  });
  signalAll("SIGSTOP");
}

function namesOf({ orphans, lost, stuck }: Report): string[] {
  return [
    ...orphans.map(({ kind, id }) => `orphan ${kind} ${id}`),
    ...lost.map(({ key }) => `lost ${key}`),
    ...stuck.map(({ key }) => `stuck ${key}`),
  ];
}

/** A Ctrl-C reaches the service too, and it may be dead before it ended what it runs. */
async function removeInstance(instance: Instance): Promise<void> {
  await instance.stop();
  await stopLeftovers(instance.dataDir);
  await instance.remove();
}
