/** Full and read-only disks under a real instance: no half-written state, a clear condition, and all goes on when it is back. */
import type { PreviewView } from "../../service/api/preview-view.ts";
import { createGate } from "../../test/e2e/support/gate.ts";
import { remainsOf } from "../../test/e2e/support/oracle.ts";
import { eventually } from "../../test/support/eventually.ts";
import type { Fault } from "../faults.ts";
import type { DiskWorld } from "./world.ts";

/** Too little for a build, enough to write down that something sleeps or goes. */
const SOME_ROOM_BYTES = 256 * 1024;

export const DISK_FAULTS: readonly Fault<DiskWorld>[] = [
  // The engine itself tries for half a minute before it says so.
  { name: "state full in the middle of an update", long: true, run: fullInTheMiddle },
  { name: "state read-only", run: readOnly },
  { name: "no room for builds", run: noRoomForBuilds },
  { name: "state full while a preview is closed", run: fullAtClose },
];

async function fullInTheMiddle(world: DiskWorld): Promise<readonly string[]> {
  const { instance, repository, state } = world;
  const before = await open(world, "middle");
  const gate = await createGate();
  const problems: string[] = [];
  try {
    const pushed = await repository.commit("middle", { "build.mjs": gate.program, "text.txt": "second" });
    await gate.reached();
    await state.fill();
    await gate.open();
    await instance.waitFor(before.key, ({ reason }) => reason === "DiskFull", "waiting for room");
    problems.push(...(await servesOn(world, before, "middle ")), ...(await world.brokenState()));
    problems.push(...(await namedBy(world, "disk", "DiskFull")));
    await state.free();
    const after = await instance.waitFor(before.key, isLive(pushed), "live when there is room");
    problems.push(...(await servesOn(world, after, "second ")), ...(await agrees(world, after)));
    return [...problems, ...(await close(world, "middle", after))];
  } finally {
    await state.free();
    await gate.open();
    await gate.remove();
  }
}

async function readOnly(world: DiskWorld): Promise<readonly string[]> {
  const { instance, repository, state } = world;
  const [stays, goes] = [await open(world, "stays"), await open(world, "goes")];
  const problems: string[] = [];
  try {
    await state.setWritable(false);
    await eventually(async () => (await world.away()).disk === "DiskReadOnly", { what: "the condition on /readyz" });
    const pushed = await repository.commit("stays", { "text.txt": "written" });
    await repository.deleteBranch("goes");
    for (const { key } of [stays, goes])
      await instance.waitFor(key, ({ reason }) => reason === "DiskReadOnly", "waiting for the disk");
    problems.push(...(await servesOn(world, stays, "stays ")), ...(await world.brokenState()));
    await state.setWritable(true);
    const after = await instance.waitFor(stays.key, isLive(pushed), "live when it can be written");
    problems.push(...(await servesOn(world, after, "written ")), ...(await agrees(world, after)));
    problems.push(...(await isGone(world, goes)));
    return [...problems, ...(await close(world, "stays", after))];
  } finally {
    await state.setWritable(true);
  }
}

/** What frees room goes on meanwhile. */
async function noRoomForBuilds(world: DiskWorld): Promise<readonly string[]> {
  const { instance, repository, previews } = world;
  const [sleeps, goes] = [await open(world, "sleeps"), await open(world, "left")];
  const problems: string[] = [];
  try {
    await previews.fill(SOME_ROOM_BYTES);
    await eventually(async () => (await world.away()).disk === "DiskFull", { what: "the condition on /readyz" });
    const commit = await repository.commit("new", { "text.txt": "new" });
    const held = await instance.waitForBranch("new", ({ reason }) => reason === "DiskFull", "waiting for room");
    await instance.client.act(sleeps.key, { action: "sleep" });
    await instance.waitFor(sleeps.key, ({ awake }) => !awake, "asleep without room");
    await repository.deleteBranch("left");
    problems.push(...(await isGone(world, goes)));
    await previews.free();
    const after = await instance.waitFor(held.key, isLive(commit), "live when there is room");
    problems.push(...(await servesOn(world, after, "new ")));
    return [...problems, ...(await close(world, "new", after)), ...(await close(world, "sleeps", sleeps))];
  } finally {
    await previews.free();
  }
}

async function fullAtClose(world: DiskWorld): Promise<readonly string[]> {
  const { instance, repository, state } = world;
  const live = await open(world, "closing");
  try {
    await state.fill();
    await repository.deleteBranch("closing");
    await instance.waitFor(live.key, ({ reason }) => reason === "DiskFull", "waiting for room");
    const broken = await world.brokenState();
    await state.free();
    return [...broken, ...(await isGone(world, live))];
  } finally {
    await state.free();
  }
}

async function open({ instance, repository }: DiskWorld, gitBranch: string): Promise<PreviewView> {
  const commit = await repository.commit(gitBranch, { "text.txt": gitBranch });
  return instance.waitForBranch(gitBranch, isLive(commit), "live");
}

async function close(world: DiskWorld, gitBranch: string, preview: PreviewView): Promise<readonly string[]> {
  await world.repository.deleteBranch(gitBranch);
  return isGone(world, preview);
}

async function isGone({ instance }: DiskWorld, { key, stack }: PreviewView): Promise<readonly string[]> {
  await instance.waitFor(key, ({ stage }) => stage === "Gone", "gone");
  const remains = await remainsOf({ dataDir: instance.dataDir, stack });
  return remains.map((one) => `left over: ${one}`);
}

async function servesOn({ instance }: DiskWorld, { url = "" }: PreviewView, text: string): Promise<readonly string[]> {
  const page = await instance.get(url);
  return page.text.startsWith(text) ? [] : [`it serves "${page.text.trim().slice(0, 80)}" in place of "${text}"`];
}

/** State and world say the same, and a person's `pulumi` can read it. */
async function agrees(world: DiskWorld, { key }: PreviewView): Promise<readonly string[]> {
  const { differences } = await world.instance.client.drift(key);
  return [...differences.map(({ message }) => `state and world differ: ${message}`), ...(await world.brokenState())];
}

async function namedBy(world: DiskWorld, part: string, reason: string): Promise<readonly string[]> {
  const [away, { findings }] = [await world.away(), await world.instance.client.doctor()];
  const isFound = findings.some(({ ok, what, remedy }) => !ok && what.startsWith(`${reason} (${part})`) && remedy);
  return [
    ...(away[part] === reason ? [] : [`/readyz says ${JSON.stringify(away)} in place of ${part}: ${reason}`]),
    ...(isFound ? [] : [`doctor does not name ${reason}`]),
  ];
}

function isLive(commit: string): (preview: PreviewView) => boolean {
  return (preview) => preview.reason === "Healthy" && preview.commit === commit;
}
