import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks `probe` until it returns something truthy and returns that; the way tests wait for a condition
 * in place of sleeping. Throws with the last answer or error when `timeoutMs` is past.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = 25, what = "the condition" } = {},
): Promise<NonNullable<Exclude<T, false | 0 | "">>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer as NonNullable<Exclude<T, false | 0 | "">>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; last: ${String(last)}`, { cause: last });
    }
    await delay(intervalMs);
  }
}
