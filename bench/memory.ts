/** Resident memory of the service and all it keeps running, against the same libraries and servers with nothing to do. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { layout } from "../components/local/layout.ts";
import { startEmbeddedServers } from "../service/embedded/postgres-servers.ts";
import { ENGINES, type Ground } from "./ground.ts";
import { type BenchContext, sample } from "./part.ts";
import type { BenchRow } from "./report.ts";

const NAME = "resident memory";

/** One row; taken while the ground's service is idle with its previews live, whose own processes do not count. */
export async function memoryRow(ground: Ground, context: BenchContext): Promise<BenchRow> {
  if (process.platform !== "linux") return { name: NAME, skipped: "only Linux tells shared memory apart" };
  context.say("memory");
  const dir = await mkdtemp(join(tmpdir(), "stackling-memory-"));
  await chmod(dir, 0o711);
  const servers = await startEmbeddedServers({
    dir,
    needed: ["store", "previews"],
    logger: { info: () => {}, warn: () => {} },
  });
  const receiver = fork(fileURLToPath(new URL("./burst-servers.ts", import.meta.url)), ["middleware", "a secret"]);
  try {
    await once(receiver, "message");
    const ours: number[] = [];
    const theirs: number[] = [];
    await sample(context, async () => {
      const { postgres } = layout(ground.instance.dataDir);
      ours.push(await mebibytes([ground.instance.pid(), ...(await postmasters(postgres))]));
      theirs.push(
        await mebibytes([...ground.peers.map(({ pid }) => pid), pidOf(receiver), ...(await postmasters(dir))]),
      );
    });
    return {
      name: NAME,
      peer: `bare parts: ${ENGINES} Node processes with the SDK and the provider, one with the webhook middleware, two idle Postgres servers`,
      unit: "MiB",
      ours,
      theirs,
      ratio: "ours/theirs",
      notes: [
        `ours: service, ${ENGINES} runners with their watchdogs, two Postgres servers; sums of PSS, the previews' own processes left out`,
      ],
    };
  } finally {
    receiver.kill();
    await servers.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Proportional set size of these processes and all below them. */
async function mebibytes(roots: readonly number[]): Promise<number> {
  const children = await childrenByParent();
  const pids = new Set<number>();
  const add = async (pid: number): Promise<void> => {
    if (pids.has(pid) || (await isPreviews(pid))) return;
    pids.add(pid);
    for (const child of children.get(pid) ?? []) await add(child);
  };
  for (const root of roots) await add(root);
  const sizes = await Promise.all([...pids].map(pssKibibytes));
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

async function childrenByParent(): Promise<ReadonlyMap<number, readonly number[]>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const children = new Map<number, number[]>();
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

async function isPreviews(pid: number): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  return environment.split("\0").some((entry) => entry.startsWith("STACKLING_PREVIEW="));
}

async function pssKibibytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
}

async function postmasters(dir: string): Promise<number[]> {
  return Promise.all(
    ["store", "previews"].map(async (name) =>
      Number((await readFile(join(dir, name, "data", "postmaster.pid"), "utf8")).split("\n")[0]),
    ),
  );
}

function pidOf({ pid }: ChildProcess): number {
  return pid ?? 0;
}
