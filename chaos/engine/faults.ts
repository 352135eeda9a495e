/** Updates that never end by themselves: they are ended within their limits, heal, and the newest wish is applied. */
import type { PreviewView } from "../../service/api/preview-view.ts";
import { createGate, type Gate } from "../../test/e2e/support/gate.ts";
import { remainsOf } from "../../test/e2e/support/oracle.ts";
import { isLiving } from "../../test/e2e/support/process-tree.ts";
import { eventually } from "../../test/support/eventually.ts";
import type { Fault } from "../faults.ts";
import { enginesOn } from "../replicas/processes.ts";
import type { EngineWorld } from "./world.ts";

export const ENGINE_FAULTS: readonly Fault<EngineWorld>[] = [
  { name: "an update that reports nothing", run: (world) => gated((gate) => silent(world, gate)) },
  { name: "an engine that ignores SIGINT", run: (world) => gated((gate) => deaf(world, gate)) },
];

async function silent(world: EngineWorld, gate: Gate): Promise<readonly string[]> {
  const { instance, repository } = world;
  await repository.commit("silent", { "build.mjs": gate.program });
  const stalled = await instance.waitForBranch("silent", ({ condition }) => condition === "Stalled", "ended");
  const engines = await enginesOn(stalled.stack, instance.dataDir);
  const problems = engines.map(({ pid }) => `the engine ${pid} goes on`);
  return [...problems, ...namedTimedOut(stalled), ...(await heals(world, stalled))];
}

async function deaf(world: EngineWorld, gate: Gate): Promise<readonly string[]> {
  const { instance, repository } = world;
  await repository.commit("deaf", { "build.mjs": gate.program });
  await gate.reached();
  const { stack, key } = await instance.waitForBranch("deaf", () => true, "there");
  const [engine] = await enginesOn(stack, instance.dataDir);
  if (!engine) return [`no engine runs on ${stack}`];
  // One that stands still hears nothing but SIGKILL.
  process.kill(engine.pid, "SIGSTOP");
  const stalled = await instance.waitFor(key, ({ condition }) => condition === "Stalled", "ended");
  await eventually(async () => !(await isLiving(engine.pid)), { what: "the end of the engine" });
  return [...namedTimedOut(stalled), ...(await heals(world, stalled))];
}

async function gated(run: (gate: Gate) => Promise<readonly string[]>): Promise<readonly string[]> {
  const gate = await createGate();
  try {
    return await run(gate);
  } finally {
    await gate.remove();
  }
}

function namedTimedOut({ reason }: PreviewView): readonly string[] {
  return reason === "EngineTimedOut" ? [] : [`it is shown as ${reason} in place of EngineTimedOut`];
}

async function heals(world: EngineWorld, { key, stack, gitBranch }: PreviewView): Promise<readonly string[]> {
  const { instance, repository } = world;
  const pushed = await repository.commit(gitBranch, { "build.mjs": "", "text.txt": "healed" });
  const live = await instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === pushed, "live");
  const page = await instance.get(live.url ?? "");
  const { differences } = await instance.client.drift(key);
  await repository.deleteBranch(gitBranch);
  await instance.waitFor(key, ({ stage }) => stage === "Gone", "gone");
  const remains = await remainsOf({ dataDir: instance.dataDir, stack });
  return [
    ...(page.text.startsWith("healed ") ? [] : [`it serves "${page.text.trim().slice(0, 80)}" in place of "healed"`]),
    ...differences.map(({ message }) => `state and world differ: ${message}`),
    ...remains.map((one) => `left over: ${one}`),
  ];
}
