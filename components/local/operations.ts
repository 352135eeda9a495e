/** What is asked of the local target outside Pulumi; the drivers' operations, over the data folder. */
import { readdir, rm } from "node:fs/promises";
import { basename } from "node:path";
import { execa } from "execa";
import { TerminalError } from "../errors.ts";
import type { Finding, OwnedThing } from "../ports.ts";
import { releaseEgress } from "./egress.ts";
import { OWNER_MARK } from "./environment.ts";
import { confinedUsers, firewallFault } from "./firewall.ts";
import { removePreviewFolder } from "./folder.ts";
import { exists, readJson } from "./json-file.ts";
import { layout } from "./layout.ts";
import { limitsSupport, listLimits, removeLimits } from "./limits.ts";
import { isReachable, nodeFolder } from "./node-runtime.ts";
import { endTrees, findMarked } from "./processes.ts";
import { isKeptAlive, isRunning } from "./release.ts";
import { listReleases, listStacks, readState, releaseIds } from "./release-files.ts";
import { removeTree } from "./remove-tree.ts";
import type { RouteFile } from "./route.ts";
import { isTakenFrom } from "./sockets.ts";
import { canSwitchUser, listUsers } from "./users.ts";

export { readLogs as logs } from "./read-logs.ts";
export { setAwake } from "./supervisor.ts";

/** Private `host:port` of a routed service; undefined too while somebody else listens there. */
export async function address(dataDir: string, stack: string, service: string): Promise<string | undefined> {
  const route = await readJson<RouteFile>(layout(dataDir).preview(stack).route(service));
  const port = Number(route?.address.split(":").at(-1));
  return (await isTakenFrom((await listUsers(dataDir))[stack], port)) ? undefined : route?.address;
}

/** True when all that is kept alive lives; false when there is no such thing. */
export async function isAwake(dataDir: string, stack: string): Promise<boolean> {
  const kept = (await listReleases(dataDir, stack)).filter(({ launch }) => isKeptAlive(launch));
  const running = await Promise.all(
    kept.map(async (release) => {
      const state = await readState(release);
      return state?.desired === "running" && (await isRunning(release, state));
    }),
  );
  return running.length > 0 && running.every(Boolean);
}

/** The first service that is not as it should be. */
export async function explain(dataDir: string, stack: string): Promise<string | undefined> {
  for (const release of await listReleases(dataDir, stack)) {
    const { service } = release.launch;
    const state = await readState(release);
    if (!state || state.phase === "starting") return `service "${service}" is starting`;
    if (state.desired === "asleep") return `service "${service}" is asleep`;
    if (isKeptAlive(release.launch) && !(await isRunning(release, state))) {
      const when = state.restartAt ? `, it is started again at ${state.restartAt}` : "";
      return `service "${service}" is not running after ${state.restarts} restarts${when}`;
    }
  }
  return undefined;
}

/** Processes, releases, checkouts, users, folders and control groups; routes are the gateway's. */
export async function owned(dataDir: string, stack?: string): Promise<OwnedThing[]> {
  const { previews } = layout(dataDir);
  const stackOf = (path: string) => path.slice(previews.length + 1).split("/")[0] ?? "";
  const wanted = (owner: string) => stack === undefined || owner === stack;
  const marked = await findMarked(OWNER_MARK, (path) => path.startsWith(`${previews}/`) && wanted(stackOf(path)));
  const processes = marked.map(({ pid, value }) => ({ kind: "process", id: String(pid), stack: stackOf(value) }));
  const users = Object.keys(await listUsers(dataDir)).filter((owner) => wanted(owner) && !owner.startsWith("install-"));
  const folders = (await listStacks(dataDir)).filter(wanted);
  const inside = await Promise.all(folders.map((owner) => ownedFiles(dataDir, owner)));
  const groups = await listLimits(dataDir, stack);
  const ruled = new Set(await confinedUsers(dataDir));
  const rules = Object.entries(await listUsers(dataDir)).filter(([owner, user]) => wanted(owner) && ruled.has(user));
  return [
    ...processes,
    ...inside.flat(),
    ...users.map((owner) => ({ kind: "user", id: owner, stack: owner })),
    ...folders.map((owner) => ({ kind: "folder", id: owner, stack: owner })),
    ...groups.map(({ name, stack: owner }) => ({ kind: "control group", id: name, stack: owner })),
    ...rules.map(([owner, user]) => ({ kind: "firewall rule", id: String(user), stack: owner })),
  ];
}

export async function ownedRoutes(dataDir: string, stack?: string): Promise<OwnedThing[]> {
  const stacks = (await listStacks(dataDir)).filter((owner) => stack === undefined || owner === stack);
  const found = await Promise.all(
    stacks.map(async (owner) => {
      const files = await readdir(layout(dataDir).preview(owner).routes).catch(() => []);
      return files
        .filter((file) => file.endsWith(".json"))
        .map((file) => ({ kind: "route", id: basename(file, ".json"), stack: owner }));
    }),
  );
  return found.flat();
}

/** Gone already is success. */
export async function remove(dataDir: string, { kind, id, stack }: OwnedThing): Promise<void> {
  const preview = layout(dataDir).preview(stack);
  switch (kind) {
    case "process":
      return endTrees([], { drainMs: 1_000, others: () => stillMarked(Number(id), `${preview.folder}/`) });
    case "route":
      return rm(preview.route(id), { force: true });
    case "checkout":
      for (const path of Object.values(preview.checkout(id))) await removeTree(path);
      return;
    case "release":
      return rm(preview.release(id).folder, { recursive: true, force: true });
    case "control group":
      return removeLimits(id);
    case "firewall rule":
      return releaseEgress(dataDir, stack);
    case "user":
    case "folder":
      return removePreviewFolder(dataDir, stack);
    default:
      throw new TerminalError({
        reason: "NotOwned",
        userMessage: `removing ${kind} "${id}": the local target has no such kind`,
      });
  }
}

export async function check(dataDir: string): Promise<Finding[]> {
  const support = await limitsSupport();
  // No fault of the set-up: an ordinary user may make no control group, and everything works without.
  const limits: Finding =
    support === "none"
      ? {
          ok: true,
          what: "memory, CPU and processes of services are not bounded here",
          remedy: "run as root where control groups can be written",
        }
      : { ok: true, what: `memory, CPU and processes of services are bounded (cgroup ${support})` };
  return [await checkGit(), await checkUsers(dataDir), limits, await checkEgress()];
}

async function ownedFiles(dataDir: string, stack: string): Promise<OwnedThing[]> {
  const checkouts = await readdir(layout(dataDir).preview(stack).checkouts).catch(() => []);
  const releases = await releaseIds(dataDir, stack);
  return [
    ...checkouts.filter((id) => !id.includes(".")).map((id) => ({ kind: "checkout", id, stack })),
    ...releases.map((id) => ({ kind: "release", id, stack })),
  ];
}

/** A pid may be somebody else's by now: only one that still bears the mark is ended. */
async function stillMarked(pid: number, prefix: string): Promise<number[]> {
  const marked = await findMarked(OWNER_MARK, (path) => path.startsWith(prefix));
  return marked.filter((found) => found.pid === pid).map((found) => found.pid);
}

async function checkGit(): Promise<Finding> {
  const { stdout, failed } = await execa("git", ["--version"], { reject: false });
  return failed ? { ok: false, what: "git was not found", remedy: "install git" } : { ok: true, what: stdout };
}

/** No fault either: named hosts are all that well-behaved programs reach, for they ask the proxy. */
async function checkEgress(): Promise<Finding> {
  const fault = await firewallFault();
  if (fault === undefined) return { ok: true, what: "previews reach named hosts only, enforced by nftables" };
  return {
    ok: true,
    what: `egress advisory: previews are told to ask the egress proxy, and nothing holds back one that does not, for ${fault}`,
    remedy: "run the service as root on Linux with the packages nftables and util-linux",
  };
}

async function checkUsers(dataDir: string): Promise<Finding> {
  if (!canSwitchUser()) {
    return { ok: true, what: "previews run as the user that runs Stackling; as root each has a user of its own" };
  }
  if ((await exists(dataDir)) && !(await isReachable(dataDir))) {
    return {
      ok: false,
      what: `the previews' users cannot reach "${dataDir}"`,
      remedy: "choose a data folder outside of private folders",
    };
  }
  return { ok: true, what: `each preview runs as a user of its own, with Node from ${await nodeFolder(dataDir)}` };
}
