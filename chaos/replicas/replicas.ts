/**
 * Two replicas over one store: the one that works is frozen in the middle, the other takes over, the first
 * is let go on. Never two engines on a stack; who lost its lease writes nothing more.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { layout } from "../../components/local/layout.ts";
import { PROJECT } from "../../infra/names.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { createGate } from "../../test/e2e/support/gate.ts";
import { remainsOf } from "../../test/e2e/support/oracle.ts";
import { eventually } from "../../test/support/eventually.ts";
import { ancestorsOf, enginesOn, withDescendants } from "./processes.ts";
import { type Replica, type ReplicaWorld, startReplicas } from "./world.ts";

/**
 * What stands still: the service alone; the service and the runner of the update; the engine and its
 * program's children too; all of the replica with its watchdogs, as a paused machine; the service right
 * before it writes down what its update came to.
 */
const FREEZES = ["service", "runner", "engine", "machine", "settle"] as const;
export type Freeze = (typeof FREEZES)[number];

const COMPLAINTS_SHOWN = 20;

export interface ReplicaRounds {
  readonly rounds: number;
  /** From the freeze to the thaw, at least; the successor's update is waited for too. */
  readonly pauseSeconds: number;
  readonly onRound?: (round: ReplicaRound) => void;
  /** Ends everything and rejects. */
  readonly signal?: AbortSignal;
}

export interface ReplicaRound {
  readonly round: number;
  readonly freeze: Freeze;
  /** Most engines seen on the stack at once. */
  readonly engines: number;
  readonly pausedSeconds: number;
  /** In words; empty when everything held. */
  readonly problems: readonly string[];
}

/** Runs the rounds one after the other, each with the next freeze and the roles as they fall. Rejects when a preview never comes right. */
export async function freezeReplicas(wish: ReplicaRounds): Promise<readonly ReplicaRound[]> {
  const { signal = new AbortController().signal } = wish;
  const world = await startReplicas(["a", "b"]);
  try {
    const called = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => called.reject(signal.reason), { once: true });
    signal.throwIfAborted();
    return await Promise.race([runRounds(world, wish), called.promise]);
  } finally {
    await world.remove();
  }
}

async function runRounds(
  world: ReplicaWorld,
  { rounds, pauseSeconds, onRound, signal }: ReplicaRounds,
): Promise<ReplicaRound[]> {
  const done: ReplicaRound[] = [];
  for (let round = 1; round <= rounds && !signal?.aborted; round++) {
    const freeze = FREEZES[(round - 1) % FREEZES.length] ?? "service";
    const result = await freezeOnce(world, { round, freeze, pauseSeconds }).catch(async (error: unknown) => {
      throw new Error(`round ${round} (${freeze}) came to no end\n${await complaints(world)}`, { cause: error });
    });
    onRound?.(result);
    done.push(result);
  }
  return done;
}

/** What the replicas complained of last, for their logs go with them. */
async function complaints({ replicas }: ReplicaWorld): Promise<string> {
  const logs = replicas.map(async (replica) => {
    const lines = (await replica.log()).split("\n").filter((line) => /"level":[456]0/.test(line));
    return [`replica "${replica.name}":`, ...lines.slice(-COMPLAINTS_SHOWN)].join("\n  ");
  });
  return (await Promise.all(logs)).join("\n");
}

/** One preview's life around a freeze. */
export async function freezeOnce(world: ReplicaWorld, wish: FreezeWish): Promise<ReplicaRound> {
  const { round, freeze, pauseSeconds } = wish;
  const gitBranch = `round-${round}`;
  const cold = await catchInTheMiddle(world, { gitBranch, freeze });
  const frozenAt = performance.now();
  const watch = watchEngines(cold.stack, world.dataDir);
  try {
    const pushed = await world.repository.commit(gitBranch, { "build.mjs": "", "text.txt": gitBranch });
    // The lock of an engine that stands still on this machine is a living process's: it is waited for.
    if (freeze !== "machine") await cold.other.waitFor(gitBranch, isLive(pushed), "live by the successor");
    await delay(Math.max(0, pauseSeconds * 1000 - (performance.now() - frozenAt)));
    const pausedSeconds = Math.round((performance.now() - frozenAt) / 1000);
    const problems = await thawed(world, cold, freeze !== "machine");
    await cold.other.waitFor(gitBranch, isLive(pushed), "live in the end");
    problems.push(...(await wrongOf(world, cold, `${gitBranch} ${pushed}`)));
    await world.repository.deleteBranch(gitBranch);
    await cold.holder.waitFor(gitBranch, ({ stage }) => stage === "Gone", "gone");
    const remains = await remainsOf({ dataDir: world.dataDir, stack: cold.stack });
    problems.push(...remains.map((one) => `left over: ${one}`));
    const engines = await watch.stop();
    if (engines > 1) problems.push(`${engines} engines were at the stack at once`);
    return { round, freeze, engines, pausedSeconds, problems };
  } finally {
    await watch.stop();
    await cold.remove();
  }
}

export interface FreezeWish {
  readonly round: number;
  readonly freeze: Freeze;
  /** At least. */
  readonly pauseSeconds: number;
}

/** Lets the frozen one go on until it looks at the preview anew. With `isOver` it may have changed nothing on the way. */
async function thawed(world: ReplicaWorld, cold: Cold, isOver: boolean): Promise<string[]> {
  const { holder, stack, key } = cold;
  const before = isOver ? await traceOf(world, cold) : {};
  const reached = holder.steps.length;
  await cold.thaw();
  const looks = () => holder.steps.slice(reached).some((one) => one.step === "find" && one.key === key);
  await eventually(looks, { timeoutMs: 120_000, what: `replica "${holder.name}" to look at ${key} again` });
  await eventually(holder.isReady, { timeoutMs: 60_000, what: `replica "${holder.name}" to be ready` });
  const after = isOver ? await traceOf(world, cold) : {};
  const problems = Object.entries(before)
    .filter(([what, text]) => after[what] !== text)
    .map(([what, text]) => `the thawed replica changed the ${what}: ${text} became ${after[what]}`);
  const noticed = (await holder.log())
    .split("\n")
    .some((line) => line.includes(`"${stack}"`) && line.includes("lost the lease"));
  return noticed ? problems : [...problems, "the thawed replica did not notice that it lost its lease"];
}

/** Every replica serves the page, and state and world are the same. */
async function wrongOf(world: ReplicaWorld, { key, other }: Cold, text: string): Promise<string[]> {
  const { url = "" } = await other.client.find(key);
  const problems: string[] = [];
  for (const replica of world.replicas) {
    const page = await replica.get(url);
    if (!page.text.startsWith(text)) problems.push(`replica "${replica.name}" serves "${page.text.trim()}"`);
  }
  const { differences } = await other.client.drift(key);
  if (differences.length > 0) problems.push(`state and world differ: ${JSON.stringify(differences)}`);
  return problems;
}

/** A replica that stands still in the middle of an update. */
export interface Cold {
  readonly key: string;
  readonly stack: string;
  readonly holder: Replica;
  readonly other: Replica;
  thaw(): Promise<void>;
  /** SIGKILL to all that stands still. */
  kill(): void;
  /** Thaws and leaves nothing behind. */
  remove(): Promise<void>;
}

/** Freezes whichever replica works when a branch is opened, and leaves its pull request unbuilt. */
export async function catchInTheMiddle(
  world: ReplicaWorld,
  { gitBranch, freeze }: { gitBranch: string; freeze: Freeze | "nothing" },
): Promise<Cold> {
  const gate = await createGate();
  const [first] = world.replicas;
  if (!first) throw new Error("there is no replica");
  await world.repository.commit(gitBranch, { "build.mjs": gate.program });
  await gate.reached();
  const { key, stack } = await first.waitFor(gitBranch, () => true, "there");
  const [engine] = await enginesOn(stack, world.dataDir);
  if (!engine) throw new Error(`no engine is at ${stack}`);
  const above = await ancestorsOf(engine.pid);
  const holder = world.replicas.find(({ pid }) => above.includes(pid));
  const other = world.replicas.find((replica) => replica !== holder);
  if (!holder || !other) throw new Error(`engine ${engine.pid} is no replica's`);
  const frozen: number[] = [];
  if (freeze === "settle") {
    await holder.freezeAt("settle", key);
    await gate.open();
    await eventually(() => isStopped(holder.pid), {
      timeoutMs: 60_000,
      what: `replica "${holder.name}" to stand still`,
    });
    frozen.push(holder.pid);
  } else {
    const runner = above[above.indexOf(holder.pid) - 1] ?? 0;
    frozen.push(...(await chosen(freeze, { service: holder.pid, runner, engine: engine.pid })));
    for (const pid of frozen) process.kill(pid, "SIGSTOP");
  }
  const thaw = async () => {
    // Deepest last woken, as they were stopped: whoever watches over another comes before it.
    for (const pid of frozen.splice(0)) wake(pid);
    await gate.open();
  };
  return {
    key,
    stack,
    holder,
    other,
    thaw,
    kill: () => {
      for (const pid of frozen.splice(0)) process.kill(pid, "SIGKILL");
    },
    remove: async () => {
      await thaw();
      await gate.remove();
    },
  };
}

async function chosen(
  freeze: Freeze | "nothing",
  { service, runner, engine }: { service: number; runner: number; engine: number },
): Promise<number[]> {
  if (freeze === "nothing") return [];
  if (freeze === "service") return [service];
  if (freeze === "runner") return [service, runner];
  if (freeze === "engine") return [service, runner, ...(await withDescendants(engine)).map(({ pid }) => pid)];
  return (await withDescendants(service)).map(({ pid }) => pid).toReversed();
}

/** Counts the engines on a stack for as long as it runs; `stop` tells the most there were at once. */
function watchEngines(stack: string, folder: string): { stop(): Promise<number> } {
  const stopped = new AbortController();
  const counting = (async () => {
    let most = 0;
    while (!stopped.signal.aborted) {
      most = Math.max(most, (await enginesOn(stack, folder)).length);
      await delay(SAMPLE_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
    return most;
  })();
  return {
    stop: () => {
      stopped.abort();
      return counting;
    },
  };
}

const SAMPLE_MS = 50;

/** Everything that a writer behind its successor's back could have changed. */
async function traceOf(
  { dataDir }: ReplicaWorld,
  { stack, key, other }: Pick<Cold, "stack" | "key" | "other">,
): Promise<Record<string, string>> {
  const { state, fence, preview } = layout(dataDir);
  const list = async (folder: string) =>
    (await readdir(folder).catch(() => []))
      // Taken and let go at any time, under a name of their own until they are.
      .filter((name) => !/\.lock(\.|$)/.test(name))
      .toSorted()
      .join(" ");
  const { services, checkouts, routes, route } = preview(stack);
  const { condition, reason, message, commit, since, url } = await other.client.find(key);
  return {
    state: await readFile(join(state, ".pulumi/stacks", PROJECT, `${stack}.json`), "utf8"),
    "state's history": await list(join(state, ".pulumi/history", PROJECT, stack)),
    fence: await readFile(fence(stack), "utf8"),
    services: await list(services),
    checkouts: await list(checkouts),
    routes: await list(routes),
    route: await readFile(route("web"), "utf8"),
    status: JSON.stringify({ condition, reason, message, commit, since, url }),
  };
}

export function isLive(commit: string): (preview: PreviewView) => boolean {
  return (preview) => preview.reason === "Healthy" && preview.commit === commit;
}

async function isStopped(pid: number): Promise<boolean> {
  return /^State:\tT/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
}

function wake(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // Its watchdog ended it meanwhile.
  }
}
