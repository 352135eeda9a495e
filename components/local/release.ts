/** Starting, awaiting and ending the processes of one release. Callers hold the release's lock. */
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { TerminalError } from "../errors.ts";
import { withoutOutage } from "./database-outage.ts";
import { OWNER_MARK } from "./environment.ts";
import { probe } from "./health.ts";
import { readJson } from "./json-file.ts";
import { layout } from "./layout.ts";
import { applyLimits, limitCpu, limitsName, membersOf } from "./limits.ts";
import { excerptOf, openLog, sizeOf } from "./log-file.ts";
import { boundedCommand } from "./process-bound.ts";
import { isAlive } from "./process-identity.ts";
import { endTrees, findMarked, type StartedProcess, startProcess } from "./processes.ts";
import {
  filesOf,
  type Launch,
  logOf,
  type Release,
  type ReleaseState,
  readState,
  writeState,
} from "./release-files.ts";
import { isTakenFrom } from "./sockets.ts";
import { endGroup, lookBeforeEnd } from "./usage.ts";

/** How long a process without a port must live to count as started. */
const SETTLE_MS = 300;
const DRAIN_MS = 5_000;
const POLL_FIRST_MS = 8;
const POLL_LAST_MS = 100;
/** A start is noticed late by a twentieth of its time at most. */
const POLL_GROWTH = 1.05;
/** Of a whole preview, threads too, where no control group bounds each of its services more closely. */
const PROCESSES_MAX = 4096;
/** Cores, while it starts. */
const START_CPU = 2;
/** As Node says it, and as the system has it for all others. */
const ADDRESS_TAKEN = /EADDRINUSE|address already in use/i;
const SHARED_PORTS =
  "what it listens on is taken, for all previews of a machine share its ports, and so do the old and the new version of one: a service must listen on the port in PORT, a sidecar on a socket that $PORT names (docs/recipes/services.md)";

export interface Started {
  readonly processes: Readonly<Record<string, StartedProcess>>;
  /** Size of the log before the start, so that an excerpt shows this start only. */
  readonly logFrom: number;
}

/**
 * Starts it and waits until it serves, see `awaitHealthy`. Until then what serves may use more of the CPU than its
 * share: a runtime's start is bound by it, and somebody waits. Killed in between, `holdToShare` is due.
 */
export async function startServing(
  release: Release,
  state: ReleaseState,
  signal: AbortSignal,
): Promise<string | undefined> {
  const cpu = isKeptAlive(release.launch) ? Math.max(release.launch.cpu, START_CPU) : release.launch.cpu;
  try {
    return await awaitHealthy(release, { started: await startRelease(release, state, { cpu }), signal });
  } finally {
    await holdToShare(release);
  }
}

/** Ends what `startServing` allowed. */
export async function holdToShare({ dataDir, launch }: Release): Promise<void> {
  await limitCpu(limitsName(dataDir, launch.stack, launch.release), launch.cpu);
}

/** Starts what of the release does not live. Every process is written down before its command begins. */
export async function startRelease(
  release: Release,
  state: ReleaseState,
  { cpu }: { readonly cpu: number } = release.launch,
): Promise<Started> {
  const { launch } = release;
  const logFrom = await sizeOf(logOf(release));
  const log = await openLog(logOf(release), launch.user);
  const processes: Record<string, StartedProcess> = {};
  try {
    for (const { name, command } of commandsOf(launch)) {
      const known = state.processes[name];
      if (known && isAlive(known)) continue;
      const { directory, environment, user } = launch;
      const marked = { ...environment, [OWNER_MARK]: filesOf(release).folder };
      const bounded = boundedCommand(command, { user, most: PROCESSES_MAX });
      processes[name] = await startProcess({ command: bounded, directory, environment: marked, user, log: log.fd });
    }
    const identities = Object.fromEntries(Object.entries(processes).map(([name, { identity }]) => [name, identity]));
    const group = limitsName(release.dataDir, launch.stack, launch.release);
    const limits = { memoryMiB: launch.memoryMiB, cpu };
    await Promise.all([
      writeState(release, { ...state, processes: { ...state.processes, ...identities } }),
      ...Object.values(identities).map(({ pid }) => applyLimits(group, pid, limits)),
    ]);
    for (const started of Object.values(processes)) started.open();
    return { processes, logFrom };
  } finally {
    await log.close();
  }
}

/**
 * Resolves once the release serves, with its address where it has one. A web service must answer, a
 * worker live for a moment, a job succeed. Throws `TerminalError` (`StartFailed`, `PortNotOpen`,
 * `HealthCheckFailed`) with the last log lines; `StacklingError` (`DatabaseFailed`) where its database was away.
 */
async function awaitHealthy(
  release: Release,
  { started, signal }: { readonly started: Started; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { launch } = release;
  const deadline = performance.now() + launch.startTimeoutSeconds * 1000;
  const exits = Object.entries(started.processes).map(([name, { exited }]) => exited.then((code) => ({ name, code })));
  const exit = exits.length > 0 ? Promise.race(exits) : new Promise<never>(() => undefined);
  const began = performance.now();
  const fail = async (reason: string, how: string) => {
    const { environment } = launch;
    const elapsedMs = performance.now() - began;
    return withoutOutage(await failure(release, started, { reason, how }), { environment, elapsedMs });
  };
  const late = `it was not ready within ${launch.startTimeoutSeconds} s`;
  if (launch.kind === "job") {
    const ended = await Promise.race([exit, delay(deadline - performance.now(), undefined, { signal })]);
    if (!ended) throw await fail("StartFailed", late);
    if (ended.code !== 0) throw await fail("StartFailed", `exited with code ${ended.code}`);
    return undefined;
  }
  if (launch.kind === "worker") {
    const ended = await Promise.race([
      exit,
      delay(Math.min(SETTLE_MS, launch.startTimeoutSeconds * 1000), undefined, { signal }),
    ]);
    if (ended) throw await fail("StartFailed", exitText(launch, ended));
    return undefined;
  }
  for (let pauseMs = POLL_FIRST_MS; ; pauseMs = Math.min(pauseMs * POLL_GROWTH, POLL_LAST_MS)) {
    signal.throwIfAborted();
    const health = await probe(launch.port, launch.healthPath, Math.min(5_000, launch.startTimeoutSeconds * 1000));
    // Another preview may have listened on the port while this one did not.
    const taken = health.ok && (await isTakenFrom(launch.user, launch.port));
    if (health.ok && !taken) return health.address;
    if (performance.now() > deadline) {
      if (health.ok || !health.open)
        throw await fail("PortNotOpen", `nothing listens on port ${launch.port} (environment variable PORT); ${late}`);
      throw await fail("HealthCheckFailed", `health path "${launch.healthPath}" ${health.answer}; ${late}`);
    }
    const ended = await Promise.race([exit, delay(pauseMs, undefined, { signal })]);
    if (ended) throw await fail("StartFailed", exitText(launch, ended));
  }
}

/** Ends every process of the release and what they started; the files stay. */
export async function endRelease(release: Release, drainMs = DRAIN_MS): Promise<void> {
  const { dataDir, launch } = release;
  const state = await readState(release);
  await endReleaseProcesses({ dataDir, stack: launch.stack, id: launch.release }, drainMs);
  if (state) await writeState(release, { ...state, processes: {} });
}

/** By name only, so that it works where the files are gone or were never complete. */
export async function endReleaseProcesses(
  { dataDir, stack, id }: { readonly dataDir: string; readonly stack: string; readonly id: string },
  drainMs: number,
): Promise<void> {
  const { folder, process: stateFile } = layout(dataDir).preview(stack).release(id);
  const leaders = Object.values((await readJson<ReleaseState>(stateFile))?.processes ?? {});
  const group = limitsName(dataDir, stack, id);
  const others = async () => {
    const marked = await findMarked(OWNER_MARK, (owner) => owner === folder);
    return [...new Set([...marked.map(({ pid }) => pid), ...(await membersOf(group))])];
  };
  await lookBeforeEnd(dataDir, stack);
  await endTrees(leaders, { drainMs, others });
  await endGroup(dataDir, stack, group);
}

/** Ends it and removes its folder. Gone already is success. */
export async function removeRelease(release: Release, drainMs = DRAIN_MS): Promise<void> {
  await endRelease(release, drainMs);
  await rm(filesOf(release).folder, { recursive: true, force: true, maxRetries: 3 });
}

/** True when every process that should live while awake lives. */
export async function isRunning({ launch }: Release, state: ReleaseState): Promise<boolean> {
  const names = commandsOf(launch).map(({ name }) => name);
  const alive = await Promise.all(
    names.map(async (name) => {
      const identity = state.processes[name];
      return identity !== undefined && isAlive(identity);
    }),
  );
  return alive.every(Boolean);
}

/** Kept alive all the time, as against what runs to an end. */
export function isKeptAlive({ kind }: Launch): boolean {
  return kind === "web" || kind === "worker";
}

function commandsOf({ service, command, sidecars }: Launch): { name: string; command: string }[] {
  return [
    { name: service, command },
    ...sidecars.map((sidecar) => ({ name: `${service}/${sidecar.name}`, command: sidecar.command })),
  ];
}

function exitText({ service }: Launch, { name, code }: { name: string; code: number }): string {
  return name === service
    ? `exited with code ${code}`
    : `sidecar "${name.slice(service.length + 1)}" exited with code ${code}`;
}

async function failure(
  release: Release,
  { logFrom }: Started,
  { reason, how }: { readonly reason: string; readonly how: string },
): Promise<TerminalError> {
  const { service, command, secrets } = release.launch;
  const excerpt = await excerptOf(logOf(release), logFrom, secrets);
  const why = isAddressTaken(excerpt) ? `; ${SHARED_PORTS}` : "";
  return new TerminalError({
    reason,
    userMessage: `starting service "${service}" with ${JSON.stringify(command)}: ${how}${why}`,
    excerpt,
  });
}

/** By what the programs printed: somebody else listens where one of them would. */
export function isAddressTaken(excerpt: readonly string[]): boolean {
  return excerpt.some((line) => ADDRESS_TAKEN.test(line));
}
