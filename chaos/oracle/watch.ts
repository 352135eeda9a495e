import { setTimeout as delay } from "node:timers/promises";
import type { Look } from "./look.ts";
import { isClean, type Report } from "./report.ts";

export interface WatchDeps {
  readonly look: () => Promise<Look>;
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
  readonly pause: () => Promise<unknown>;
}

const LOOK_EVERY_MS = 500;

export const REAL_TIME = { now: () => performance.now(), pause: () => delay(LOOK_EVERY_MS) };

/**
 * Looks until a look finds nothing or `withinMs` is past, and reports the last one. What comes and goes
 * is told from what stays by `forMs`. A look that fails is taken again; rejects when the last one failed.
 */
export async function watch({ look, now, pause }: WatchDeps, withinMs: number): Promise<Report> {
  const began = now();
  let since = new Map<string, number>();
  for (let looks = 1; ; looks++) {
    const at = now();
    const seen = await look().catch((error: unknown) => ({ error }));
    const isOver = now() - began >= withinMs;
    if ("error" in seen) {
      if (isOver) throw seen.error;
      await pause();
      continue;
    }
    const next = new Map<string, number>();
    const dated = <T extends object>(finding: T): T & { forMs: number } => {
      const name = JSON.stringify(finding);
      const first = since.get(name) ?? at;
      next.set(name, first);
      return { ...finding, forMs: Math.round(at - first) };
    };
    const findings = {
      orphans: seen.orphans.map(dated),
      lost: seen.lost.map(dated),
      stuck: seen.stuck.map(dated),
    };
    since = next;
    if (isClean(findings) || isOver) {
      const tookMs = Math.round(now() - began);
      return { at: new Date().toISOString(), ...findings, looked: seen.looked, looks, tookMs };
    }
    await pause();
  }
}
