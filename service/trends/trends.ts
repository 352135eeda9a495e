/** Counts over time: an hour's sample by whichever replica comes to it first, and what they come to. */
import type { Logger } from "pino";
import { every } from "../every.ts";
import type { Store } from "../store/store.ts";
import { type Bucket, bucketsOf, type Sample, type Summary, sampleOf, summaryOf } from "./sample.ts";
import type { TrendStore } from "./store.ts";

export interface Trends {
  /** Of the last days, with what no sample holds yet; a while old. */
  summary(): Promise<Summary>;
  /** From so many days ago until now. */
  buckets(range: { readonly days: number; readonly hours: number }): Promise<readonly Bucket[]>;
}

export interface TrendsDeps {
  readonly store: Pick<Store, "list"> & TrendStore;
  /** ISO 8601 UTC */
  readonly now: () => string;
  readonly logger: Pick<Logger, "warn">;
  readonly lookEveryMs?: number;
  /** How long a summary is good before it is read anew; 0: read each time. */
  readonly freshMs?: number;
}

const LOOK_EVERY_MS = 300_000;
const FRESH_MS = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SUMMARY_DAYS = 7;
/** What ends in an hour may have begun this long before. */
const BEGUN_MS = 6 * HOUR_MS;

/** `close` resolves when a sample that is being taken is written. */
export function startTrends(deps: TrendsDeps): Trends & { close(): Promise<void> } {
  const { store, now, logger, freshMs = FRESH_MS } = deps;
  const timer = every(deps.lookEveryMs ?? LOOK_EVERY_MS, look);
  let kept: { readonly until: number; readonly summary: Summary } | undefined;
  let reading: Promise<Summary> | undefined;

  async function look(): Promise<void> {
    try {
      const last = (await store.samples(ago(2 * HOUR_MS))).at(-1);
      const isDue = !last || last.at.slice(0, 13) !== now().slice(0, 13);
      if (isDue) await store.addSample(await unsampled());
    } catch (error) {
      logger.warn(
        { err: error },
        "the hour's counts for the trends could not be taken; they are tried again in a while",
      );
    }
  }

  /** What no sample holds yet. */
  async function unsampled(): Promise<Sample> {
    const last = (await store.samples(ago(SUMMARY_DAYS * DAY_MS))).at(-1);
    const since = last?.at ?? ago(SUMMARY_DAYS * DAY_MS);
    const begun = new Date(Date.parse(since) - BEGUN_MS).toISOString();
    const [previews, ended] = await Promise.all([store.list(), store.ended(since, begun)]);
    return sampleOf(previews, ended, { since, now: now() });
  }

  async function upToNow(days: number): Promise<readonly Sample[]> {
    const [samples, newest] = await Promise.all([store.samples(ago(days * DAY_MS)), unsampled()]);
    return [...samples, newest];
  }

  async function read(): Promise<Summary> {
    const summary = summaryOf(await upToNow(SUMMARY_DAYS), SUMMARY_DAYS);
    kept = { until: Date.parse(now()) + freshMs, summary };
    return summary;
  }

  function ago(ms: number): string {
    return new Date(Date.parse(now()) - ms).toISOString();
  }

  return {
    async summary() {
      const isFresh = kept !== undefined && kept.until > Date.parse(now());
      if (!isFresh) reading ??= read().finally(() => (reading = undefined));
      // Nobody waits for what only moves by the day, but the first.
      if (kept === undefined || freshMs === 0) return reading ?? read();
      reading?.catch(() => {});
      return kept.summary;
    },
    async buckets({ days, hours }) {
      return bucketsOf(await upToNow(days), { now: now(), days, hours });
    },
    close: () => timer.close(),
  };
}
