/** Stackling with everything it needs on this one machine: two Postgres servers, a passphrase, the service. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { layout, prepareDataDir } from "../../components/local/layout.ts";
import type { OperatorConfig } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";
import { type ServiceOptions, startService } from "../service.ts";
import { openInstance } from "./instance.ts";
import { openLog } from "./log.ts";
import { portError, refuseTakenPort } from "./port.ts";
import { startEmbeddedServers } from "./postgres-servers.ts";

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** Asked for once the data folder is ours; it may put things there. */
  readonly config: () => Promise<OperatorConfig>;
  /** Where it will listen, checked before anything is touched. */
  readonly place: { readonly host: string; readonly port: number };
  readonly version: string;
  /** Steps that take their time, in a few words. */
  readonly onProgress?: (doing: string) => void;
  /** Errors that a person must see, in one line. */
  readonly onError: (line: string) => void;
  /** See `ServiceOptions`. */
  readonly onStep?: ServiceOptions["onStep"];
}

export interface EmbeddedInstance {
  /** Where the page and the API answer. */
  readonly url: string;
  readonly token: string;
  readonly config: OperatorConfig;
  /** Ends the previews' services, the service and both servers. Stopped already is success. */
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
    const { logger, close } = openLog(dataDir, options.onError);
    undo.push(close);
    await prepareDataDir(dataDir);
    const { state, pulumiHome, engineRuns } = layout(dataDir);
    for (const folder of [state, pulumiHome, engineRuns]) await mkdir(folder, { recursive: true, mode: 0o700 });
    onProgress("starting Postgres");
    const {
      store,
      previews,
      stop: stopServers,
    } = await startEmbeddedServers({ dir: layout(dataDir).postgres, logger });
    undo.push(stopServers);
    const config = await options.config();
    await keepPassphrase(dataDir, config);
    onProgress("starting the service");
    const service = await startService({
      config,
      dataDir,
      storeUrl: config.store ? await resolveSecret(config.store) : store.url,
      adminUrl: previews.url,
      token: instance.token,
      instanceId: instance.instanceId,
      logger,
      version: options.version,
      ...(options.onStep ? { onStep: options.onStep } : {}),
    }).catch((error: unknown) => {
      throw portError(place.host, place.port, error);
    });
    undo.push(() => service.close({ endServices: true }));
    await instance.publish({ url: service.url, port: Number(new URL(service.url).port || config.port) });
    return { url: service.url, token: instance.token, config, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
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
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
