/** `/healthz`: the process lives. `/readyz`: everything it needs answers. */
import type { RequestHandler } from "express";
import { StacklingError } from "../../components/errors.ts";
import { NotConnected } from "../forges/not-connected.ts";

/** Rejects when the named thing is away. Its error is logged, never shown: the probe is open to all. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<void>>>;

const CHECK_TIMEOUT_MS = 3_000;
/** Strangers may ask as often as they like; the parts behind are asked once a second. */
const FRESH_MS = 1_000;

/** One part that is away, by its name in the checks and as a condition. */
export interface Away {
  readonly name: string;
  readonly reason: string;
  readonly error: unknown;
}

/** Of parts that do not even answer; the others say themselves what is wrong. */
const SILENT: Readonly<Record<string, string>> = {
  store: "StoreUnavailable",
  previews: "DatabaseFailed",
  backend: "BackendUnavailable",
  disk: "DiskReadOnly",
  engine: "EngineMissing",
  forge: "Unreachable",
};

export function createReadiness(checks: ReadinessChecks, onError: (error: unknown) => void): RequestHandler {
  let asked: Promise<readonly Away[]> | undefined;
  const findNow = async () => {
    const away = await findAway(checks);
    for (const { error } of away) onError(error);
    return away;
  };
  const ask = () => {
    asked ??= findNow().finally(() => {
      setTimeout(() => {
        asked = undefined;
      }, FRESH_MS).unref();
    });
    return asked;
  };
  return async (_request, response) => {
    // Where an admin is to connect a forge by a page of ours, nothing but this can serve it.
    const missing = (await ask()).filter(({ error }) => !(error instanceof NotConnected));
    const isReady = missing.length === 0;
    response.setHeader("Cache-Control", "no-store");
    if (!isReady) response.setHeader("Retry-After", 5);
    response.status(isReady ? 200 : 503).json({
      ready: isReady,
      away: missing.map(({ name }) => name),
      ...(isReady ? {} : { reasons: Object.fromEntries(missing.map(({ name, reason }) => [name, reason])) }),
    });
  };
}

/** Every part is asked at once, none longer than a few seconds. */
export async function findAway(checks: ReadinessChecks): Promise<readonly Away[]> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await within(check(), name);
        return [];
      } catch (error) {
        return [{ name, reason: reasonOf(name, error), error }];
      }
    }),
  );
  return results.flat();
}

function reasonOf(name: string, error: unknown): string {
  const [part = ""] = name.split(":");
  const said = error instanceof StacklingError ? error.reason : undefined;
  return part === "forge" ? "Unreachable" : (said ?? SILENT[part] ?? "Unreachable");
}

async function within(check: Promise<void>, name: string): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`asking ${name}: no answer in ${CHECK_TIMEOUT_MS} ms`)),
    CHECK_TIMEOUT_MS,
  );
  try {
    await Promise.race([check, promise]);
  } finally {
    clearTimeout(timer);
  }
}
