/** One supervised release of one service. Made means: healthy; deleted means: nothing of it runs. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { StacklingError } from "../errors.ts";
import type { ServiceDefinition } from "../ports.ts";
import { egressEnvironment } from "./egress-access.ts";
import { EMULATORS, emulatorFolder, INBOXES, inboxFolder } from "./emulators.ts";
import { baseEnvironment } from "./environment.ts";
import { withFileLock } from "./file-lock.ts";
import { exists, writeJson } from "./json-file.ts";
import { rememberSecrets } from "./known-secrets.ts";
import { inside, layout } from "./layout.ts";
import { sizeOf } from "./log-file.ts";
import { nodeFolder } from "./node-runtime.ts";
import { followOutput } from "./output.ts";
import { choosePort } from "./ports.ts";
import { endReleaseProcesses, isAddressTaken, isKeptAlive, isRunning, removeRelease, startServing } from "./release.ts";
import {
  filesOf,
  type Launch,
  logOf,
  type Release,
  readRelease,
  readState,
  releaseIds,
  withReleaseLock,
  writeState,
} from "./release-files.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { allocateUser } from "./users.ts";

export interface ServiceInputs {
  readonly service: Omit<
    ServiceDefinition,
    "environment" | "dependsOn" | "image" | "port" | "readOnlyRoot" | "sidecars"
  > & { readonly sidecars: readonly { readonly name: string; readonly command: string }[] };
  /** Absolute path of the checkout. */
  readonly checkout: string;
  /** Secret; declared values with references resolved. */
  readonly environment: Readonly<Record<string, string>>;
  /** Values in `environment` that must not show in messages. Secret. */
  readonly secrets: readonly string[];
  /** Services of lower order are woken first. */
  readonly order: number;
  /** Raised to release the same again. */
  readonly generation: number;
}

export interface ServiceState extends ServiceInputs {
  readonly release: string;
  readonly instance: string;
  /** Private `host:port`; empty for what does not listen. */
  readonly address: string;
  /** Further ports by name, for what asked for some. */
  readonly ports?: Readonly<Record<string, number>>;
}

const PORT_ATTEMPTS = 3;

export const serviceResource: LocalResource<ServiceInputs, ServiceState> = {
  type: "stackling:local:Service",
  diff: (state, inputs) => {
    const changes = releaseId(state) !== releaseId(inputs);
    return { changes, replaces: changes ? ["service"] : [] };
  },
  async create(context, inputs) {
    const { dataDir } = context.settings;
    const release = releaseId(inputs);
    const { lock } = layout(dataDir).preview(context.stack).release(release);
    await context.admit();
    await removeLeftovers(context, inputs.service.name);
    return withFileLock(lock, async () => {
      const same = await readRelease(dataDir, context.stack, release);
      if (same) await removeRelease(same);
      context.log(`starting "${inputs.service.name}"`);
      return { id: release, state: { ...inputs, release, ...(await makeRelease(context, inputs)) } };
    });
  },
  async confirm({ settings, stack }, id) {
    await writeFile(layout(settings.dataDir).preview(stack).release(id).known, "").catch(() => undefined);
  },
  async read(context, id, state) {
    const found = await look(context, id, state);
    // What the engine is about to forget is a leftover from now on.
    const { known } = layout(context.settings.dataDir).preview(context.stack).release(id);
    if (!found) await rm(known, { force: true });
    return found;
  },
  async delete({ settings, stack }, id, state) {
    const release = await readRelease(settings.dataDir, stack, id);
    // A release of the same name but made later is not the one that is to go.
    if (!release || release.launch.instance !== state.instance) return;
    await withReleaseLock(release, () => removeRelease(release));
  },
};

async function look({ settings, stack }: ResourceContext, id: string, state: ServiceState) {
  const release = await readRelease(settings.dataDir, stack, id);
  const found = release && (await readState(release));
  if (!release || found?.phase !== "ready" || release.launch.instance !== state.instance) return undefined;
  if (!(await exists(release.launch.directory))) return undefined;
  const shouldRun = found.desired === "running" && isKeptAlive(release.launch);
  return shouldRun && !(await isRunning(release, found)) ? undefined : state;
}

/** Tries again with another port when somebody else was quicker to listen on the chosen one. */
async function makeRelease(context: ResourceContext, inputs: ServiceInputs) {
  for (let attempt = 1; ; attempt++) {
    const release = await writeLaunch(context, inputs);
    try {
      const { instance, ports } = release.launch;
      return { address: (await bringUp(context, release)) ?? "", instance, ...(ports ? { ports } : {}) };
    } catch (error) {
      await removeRelease(release, 500);
      const portTaken = error instanceof StacklingError && isAddressTaken(error.excerpt);
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function bringUp(context: ResourceContext, release: Release): Promise<string | undefined> {
  const startedAt = new Date().toISOString();
  const state = { phase: "starting", desired: "running", processes: {}, restarts: 0, startedAt } as const;
  await writeState(release, state);
  if (release.launch.kind === "cron") {
    await writeState(release, { ...state, phase: "ready" });
    return undefined;
  }
  await context.admit();
  const { output } = context;
  const path = logOf(release);
  const { secrets, service } = release.launch;
  const onLines = (lines: readonly string[]) => output?.(service, lines);
  const following = output && followOutput({ path, from: await sizeOf(path), secrets, onLines });
  const address = await startServing(release, state, context.signal).finally(() => following?.stop());
  const now = await readState(release);
  await writeState(release, { ...state, ...now, phase: "ready", ...(address && { address }) });
  return address;
}

async function writeLaunch(context: ResourceContext, inputs: ServiceInputs): Promise<Release> {
  const { settings, stack } = context;
  const { dataDir } = settings;
  const { service, checkout, secrets, order } = inputs;
  const user = await allocateUser(dataDir, stack);
  const port = await choosePort(dataDir);
  const ports: Record<string, number> = {};
  for (const name of service.ports ?? []) ports[name] = await choosePort(dataDir, [port, ...Object.values(ports)]);
  const preview = layout(dataDir).preview(stack);
  const egress = await egressEnvironment(dataDir, stack);
  const base = { ...baseEnvironment({ stack, preview, node: await nodeFolder(dataDir) }), ...egress.variables };
  const emulators: Record<string, string> = {
    ...(service.command?.includes(EMULATORS) ? { [EMULATORS]: await emulatorFolder(dataDir) } : {}),
    ...(service.command?.includes(INBOXES) ? { [INBOXES]: await inboxFolder(dataDir) } : {}),
  };
  const launch: Launch = {
    stack,
    service: service.name,
    kind: service.kind,
    release: releaseId(inputs),
    instance: randomUUID(),
    directory: inside(checkout, service.directory),
    command: service.command ?? "",
    sidecars: service.sidecars,
    environment: { ...inputs.environment, ...base, ...emulators, ...portVariables(ports), PORT: String(port) },
    secrets: [...secrets, ...egress.secrets],
    port,
    ...(service.ports ? { ports } : {}),
    healthPath: service.healthPath,
    startTimeoutSeconds: service.startTimeoutSeconds,
    schedule: service.schedule,
    order,
    memoryMiB: service.memoryMiB,
    cpu: service.cpu,
    user,
  };
  const release = { dataDir, launch };
  await rememberSecrets(dataDir, stack, secrets);
  await mkdir(filesOf(release).folder, { recursive: true, mode: 0o700 });
  await writeJson(filesOf(release).launch, launch);
  return release;
}

function portVariables(ports: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [`PORT_${name.toUpperCase().replaceAll("-", "_")}`, String(port)]),
  );
}

/** Ends and removes releases of this service that no state knows of: left by runs that died. */
async function removeLeftovers({ settings, stack }: ResourceContext, service: string): Promise<void> {
  for (const id of await releaseIds(settings.dataDir, stack)) {
    const { folder, lock, known } = layout(settings.dataDir).preview(stack).release(id);
    if (serviceOf(id) !== service || (await exists(known))) continue;
    await withFileLock(lock, async () => {
      await endReleaseProcesses({ dataDir: settings.dataDir, stack, id }, 1_000);
      await rm(folder, { recursive: true, force: true });
    });
  }
}

/** Fixed by what goes in, so that a run after a kill finds what the one before left. */
function releaseId(inputs: ServiceInputs): string {
  const { service, checkout, environment, generation } = inputs;
  const sorted = Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1));
  const { name, kind, command, directory, healthPath, startTimeoutSeconds, schedule, memoryMiB, cpu, ports } = service;
  const sidecars = service.sidecars.map((sidecar) => [sidecar.name, sidecar.command]);
  const what = [name, kind, command, directory, healthPath, startTimeoutSeconds, schedule, memoryMiB, cpu, sidecars];
  // Behind the rest, so that what asks for none keeps the name it has.
  const further = ports ? [ports] : [];
  const identity = JSON.stringify([[...what, ...further], checkout, sorted, generation]);
  return `${name}-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`;
}

function serviceOf(release: string): string {
  return release.replace(/-[0-9a-f]{8}$/, "");
}
