/** `/healthz`: the process lives. `/readyz`: everything it needs answers. */
import type { RequestHandler } from "express";

/** Rejects when the named thing is away. Its error is logged, never shown: the probe is open to all. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<void>>>;

const CHECK_TIMEOUT_MS = 3_000;
/** Strangers may ask as often as they like; the parts behind are asked once a second. */
const FRESH_MS = 1_000;

export function createReadiness(checks: ReadinessChecks, onError: (error: unknown) => void): RequestHandler {
  let asked: Promise<readonly string[]> | undefined;
  const away = () => {
    asked ??= findAway(checks, onError).finally(() => {
      setTimeout(() => {
        asked = undefined;
      }, FRESH_MS).unref();
    });
    return asked;
  };
  return async (_request, response) => {
    const missing = await away();
    response.setHeader("Cache-Control", "no-store");
    if (missing.length > 0) response.setHeader("Retry-After", 5);
    response.status(missing.length > 0 ? 503 : 200).json({ ready: missing.length === 0, away: missing });
  };
}

async function findAway(checks: ReadinessChecks, onError: (error: unknown) => void): Promise<readonly string[]> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await within(check(), name);
        return [];
      } catch (error) {
        onError(error);
        return [name];
      }
    }),
  );
  return results.flat();
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
