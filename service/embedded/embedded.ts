/** Stackling with everything it needs on this one machine: Postgres servers, a passphrase, the service. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "../../components/local/json-file.ts";
import { layout, prepareDataDir } from "../../components/local/layout.ts";
import type { OperatorConfig } from "../config/types.ts";
import { knownSecrets } from "../logs/known-secrets.ts";
import { openLog } from "../logs/log.ts";
import { resolveSecret } from "../secret-reference.ts";
import { type ServiceOptions, startService } from "../service.ts";
import { openTracing } from "../tracing/open.ts";
import { openInstance } from "./instance.ts";
import { portError, refuseTakenPort } from "./port.ts";
import { type ServerName, startEmbeddedServers } from "./postgres-servers.ts";

export interface EmbeddedOptions extends Pick<ServiceOptions, "onStep" | "runnerLimits" | "moneyEveryMs"> {
  readonly dataDir: string;
  /** Asked for once the data folder is ours, before anything runs; it may put things there. */
  readonly config: () => Promise<OperatorConfig>;
  /** Where it will listen, checked before anything is touched. */
  readonly place: { readonly host: string; readonly port: number };
  readonly version: string;
  /** Steps that take their time, in a few words. */
  readonly onProgress?: (doing: string) => void;
  /** Errors that a person must see, in one line. */
  readonly onError: (line: string) => void;
}

export interface EmbeddedInstance {
  /** Where the page and the API answer. */
  readonly url: string;
  readonly token: string;
  readonly config: OperatorConfig;
  /** Ends the previews' services, the service and our servers. Stopped already is success. */
  stop(): Promise<void>;
}

/**
 * Starts everything on a data folder, adopting what an earlier, killed instance left running. Throws
 * `WrongUse` before anything is touched when folder or port cannot be used; what was started is ended
 * again when a later step fails.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedInstance> {
  const { dataDir, place, onProgress = () => undefined } = options;
  await refuseTakenPort(place.host, place.port);
  const instance = await openInstance(dataDir);
  const undo: (() => Promise<void>)[] = [instance.close];
  const stop = once(async () => {
    const failures: unknown[] = [];
    for (const step of undo.toReversed()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
  try {
    const config = await resolved(await options.config());
    const tracing = await openTracing({ version: options.version, logger: () => logger });
    const { logger, close } = openLog({
      dataDir,
      to: config.log ?? "file",
      fields: tracing.fields,
      secrets: [instance.token, ...(await knownSecrets(config))],
      onError: options.onError,
    });
    undo.push(close, tracing.close);
    await prepareDataDir(dataDir);
    const { state, pulumiHome, engineRuns } = layout(dataDir);
    for (const folder of [state, pulumiHome, engineRuns]) await mkdir(folder, { recursive: true, mode: 0o700 });
    const storeUrl = config.store && (await resolveSecret(config.store));
    const token = config.token ? await resolveSecret(config.token) : instance.token;
    const needed = serversFor(config, dataDir);
    if (needed.length > 0) onProgress("starting Postgres");
    const servers = await startEmbeddedServers({ dir: layout(dataDir).postgres, needed, logger });
    undo.push(servers.stop);
    await keepPassphrase(dataDir, config);
    onProgress("starting the service");
    const service = await startService({
      config,
      dataDir,
      storeUrl: storeUrl ?? servers.store?.url ?? "",
      ...(servers.previews ? { adminUrl: servers.previews.url } : {}),
      token,
      instanceId: instance.instanceId,
      logger,
      version: options.version,
      tracing,
      ...(options.onStep ? { onStep: options.onStep } : {}),
      ...(options.moneyEveryMs === undefined ? {} : { moneyEveryMs: options.moneyEveryMs }),
      ...(options.runnerLimits ? { runnerLimits: options.runnerLimits } : {}),
    }).catch((error: unknown) => {
      throw portError(place.host, place.port, error);
    });
    undo.push(() => service.close({ endServices: true }));
    await instance.publish({ url: service.url, port: Number(new URL(service.url).port || config.port), token });
    return { url: service.url, token, config, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** With what may only be known in memory. */
async function resolved(config: OperatorConfig): Promise<OperatorConfig> {
  const { backendReference } = config;
  return backendReference ? { ...config, backend: await resolveSecret(backendReference) } : config;
}

/** Those of our own servers that nothing of the operator's takes the place of. */
function serversFor({ store, targets }: OperatorConfig, dataDir: string): readonly ServerName[] {
  const ours = layout(dataDir).previewsUrl;
  const needsPreviews = targets.some(({ database }) => {
    const server = database?.options.server;
    return typeof server === "object" && server !== null && "file" in server && server.file === ours;
  });
  return [...(store ? [] : (["store"] as const)), ...(needsPreviews ? (["previews"] as const) : [])];
}

/** The config's where it names one; else made once. Engines read it from the file. */
async function keepPassphrase(dataDir: string, { passphrase }: OperatorConfig): Promise<void> {
  const file = layout(dataDir).passphrase;
  if (passphrase) return writeSecret(file, await resolveSecret(passphrase));
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (!kept) await writeSecret(file, randomBytes(32).toString("base64url"));
}

async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, text);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
