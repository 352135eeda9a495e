/** Keeps released services running: restarts what died, runs what is scheduled, puts to sleep and wakes. */
import { setTimeout as delay } from "node:timers/promises";
import { Cron } from "croner";
import { pruneFences } from "./fence.ts";
import { rotateLog } from "./log-file.ts";
import { endRelease, holdToShare, isKeptAlive, isRunning, startRelease, startServing } from "./release.ts";
import {
  listReleases,
  listStacks,
  logOf,
  type Release,
  type ReleaseState,
  readState,
  tryReleaseLock,
  withReleaseLock,
  writeState,
} from "./release-files.ts";

export interface SupervisorDeps {
  readonly dataDir: string;
  readonly logger: { warn(fields: object, message: string): void };
  readonly clock: () => Date;
}

export interface ServiceStatus {
  readonly service: string;
  readonly release: string;
  readonly running: boolean;
  readonly desired: ReleaseState["desired"];
  readonly restarts: number;
}

export interface Supervisor {
  /** Adopts what lives, starts what should; then goes on until `stop`. */
  start(): void;
  /** With `endServices` every process ends, and the next start restores what was awake. */
  stop(options: { readonly endServices: boolean }): Promise<void>;
  /** See `setAwake`. */
  setAwake(stack: string, awake: boolean): Promise<void>;
  status(stack: string): Promise<readonly ServiceStatus[]>;
}

const TICK_MS = 500;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_LAST_MS = 60_000;
/** A run of this length wipes the restarts before it. */
const SETTLED_MS = 60_000;

/** Everything it knows is on disk, so that a kill loses nothing and two of them start nothing twice. */
export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const stopped = new AbortController();
  let loop: Promise<void> | undefined;
  return {
    start() {
      loop ??= superviseUntil(deps, stopped.signal);
    },
    async stop({ endServices }) {
      stopped.abort();
      await loop;
      if (endServices) await endAll(deps.dataDir);
    },
    setAwake: (stack, awake) => setAwake(deps.dataDir, stack, awake),
    status: (stack) => statusOf(deps.dataDir, stack),
  };
}

/** Ends a preview's processes, or starts them and waits until they are healthy or `signal` aborts. Idempotent. */
export async function setAwake(dataDir: string, stack: string, awake: boolean, signal?: AbortSignal): Promise<void> {
  const releases = await listReleases(dataDir, stack);
  for (const release of awake ? releases : releases.reverse()) {
    signal?.throwIfAborted();
    await withReleaseLock(release, () => (awake ? wake(release, signal) : putToSleep(release)));
  }
}

export async function statusOf(dataDir: string, stack: string): Promise<ServiceStatus[]> {
  const releases = await listReleases(dataDir, stack);
  const found = await Promise.all(
    releases.map(async (release) => {
      const state = await readState(release);
      if (!state) return [];
      const { service, release: id } = release.launch;
      const running = !isKeptAlive(release.launch) || (await isRunning(release, state));
      return [{ service, release: id, running, desired: state.desired, restarts: state.restarts }];
    }),
  );
  return found.flat();
}

async function superviseUntil(deps: SupervisorDeps, signal: AbortSignal): Promise<void> {
  await pruneFences(deps.dataDir, deps.clock().getTime()).catch((error) => {
    deps.logger.warn({ err: error }, "removing old fences failed");
  });
  while (!signal.aborted) {
    // Whatever one look meets, the next goes on: a preview may vanish under it at any moment.
    await tendAll(deps, signal).catch((error) => {
      deps.logger.warn({ err: error }, "looking after services failed; it is tried again");
    });
    await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function tendAll(deps: SupervisorDeps, signal: AbortSignal): Promise<void> {
  for (const stack of await listStacks(deps.dataDir)) {
    const releases = await listReleases(deps.dataDir, stack).catch(() => []);
    await Promise.all(releases.map((release) => tend(deps, release, signal)));
  }
}

/** One look at one release. Whoever holds its lock (a create, a delete, a wake) is at it already. */
async function tend(deps: SupervisorDeps, release: Release, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let unlock: Awaited<ReturnType<typeof tryReleaseLock>>;
  try {
    unlock = await tryReleaseLock(release);
    if (!unlock) return;
    const state = await readState(release);
    if (state?.phase !== "ready" || state.desired !== "running") return;
    await rotateLog(logOf(release)).catch(() => undefined);
    if (release.launch.kind === "cron") await runIfDue(release, state, deps.clock());
    if (isKeptAlive(release.launch)) await keepAlive(deps, release, state);
  } catch (error) {
    // Removed with its preview since it was listed.
    if (isMissing(error)) return;
    const { stack, service } = release.launch;
    deps.logger.warn(
      { ...keyOf(release), stack, service, err: error },
      `tending service "${service}" of "${stack}" failed`,
    );
  } finally {
    await unlock?.();
  }
}

/** Of the preview that it is part of, as its processes are told it. */
function keyOf({ launch }: Release): { readonly key?: string } {
  const key = launch.environment.STACKLING_KEY;
  return key === undefined ? {} : { key };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function keepAlive({ logger, clock }: SupervisorDeps, release: Release, state: ReleaseState): Promise<void> {
  const now = clock();
  if (await isRunning(release, state)) {
    const settled = now.getTime() - Date.parse(state.startedAt) > SETTLED_MS;
    if (settled && (state.restarts > 0 || state.restartAt)) {
      await writeState(release, { ...state, restarts: 0, restartAt: undefined });
    }
    return;
  }
  // No process on record: it was ended by us, not by a fault of its own.
  const diedItself = Object.keys(state.processes).length > 0;
  if (diedItself && state.restartAt === undefined) {
    const waitMs = Math.min(BACKOFF_FIRST_MS * 2 ** state.restarts, BACKOFF_LAST_MS);
    await writeState(release, { ...state, restartAt: new Date(now.getTime() + waitMs).toISOString() });
    const { stack, service } = release.launch;
    logger.warn(
      { ...keyOf(release), stack, service, waitMs },
      `service "${service}" of "${stack}" is not running; starting it again`,
    );
    return;
  }
  if (state.restartAt !== undefined && now.toISOString() < state.restartAt) return;
  await startRelease(release, {
    ...state,
    restarts: state.restarts + (diedItself ? 1 : 0),
    restartAt: undefined,
    startedAt: now.toISOString(),
  });
}

/** A run that is still going when the next is due makes that one wait; those missed meanwhile are one. */
async function runIfDue(release: Release, state: ReleaseState, now: Date): Promise<void> {
  const schedule = release.launch.schedule;
  if (!schedule) return;
  const next = () => new Cron(schedule, { timezone: "UTC", paused: true }).nextRun(now)?.toISOString();
  if (state.nextRunAt === undefined) {
    await writeState(release, { ...state, nextRunAt: next() });
    return;
  }
  if (now.toISOString() < state.nextRunAt || (await isRunning(release, state))) return;
  await startRelease(release, { ...state, startedAt: now.toISOString(), nextRunAt: next() });
}

async function putToSleep(release: Release): Promise<void> {
  const state = await readState(release);
  if (!state || (state.desired === "asleep" && Object.keys(state.processes).length === 0)) return;
  // The wish first: killed between the two, the next asking ends what still runs.
  await writeState(release, { ...state, desired: "asleep" });
  await endRelease(release);
}

async function wake(release: Release, signal = new AbortController().signal): Promise<void> {
  const state = await readState(release);
  if (state?.phase !== "ready") return;
  const awake = { ...state, desired: "running", restartAt: undefined } as const;
  if (!isKeptAlive(release.launch) || (await isRunning(release, state))) {
    if (state.desired !== "running") await writeState(release, awake);
    return holdToShare(release);
  }
  await startServing(release, { ...awake, restarts: 0, startedAt: new Date().toISOString() }, signal);
}

async function endAll(dataDir: string): Promise<void> {
  const releases = (await Promise.all((await listStacks(dataDir)).map((stack) => listReleases(dataDir, stack)))).flat();
  await Promise.all(releases.map((release) => withReleaseLock(release, () => endRelease(release))));
}
