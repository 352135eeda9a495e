/** Gauges that are read from the store when somebody asks: the same on every replica, and read at most every few seconds. */
import { isStage } from "../../infra/names.ts";
import { isAlarming } from "../alarm.ts";
import { stageOf } from "../api/preview-view.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import type { SweepReport } from "../sweep/report.ts";
import type { Level, NameOf } from "./catalog.ts";
import type { Numbers } from "./registry.ts";
import type { LevelStore } from "./store.ts";

export interface LevelDeps {
  readonly store: Pick<Store, "current" | "pause" | "lastSweep"> & LevelStore;
  readonly numbers: Pick<Numbers, "set" | "clear">;
  /** Further ones, such as money; asked each time, for they come one by one. */
  readonly more?: readonly LevelSource[];
  readonly onError: (error: unknown) => void;
}

/** Of one part of the service; rejects while that part is away. */
export type LevelSource = () => Promise<readonly Level[]>;

const FRESH_MS = 5_000;
const SELDOM_MS = 300_000;
/** Shorter than Prometheus' own patience (10 s), so that what the process itself knows arrives during an outage. */
const PATIENCE_MS = 4_000;

/** Resolves once the gauges say what the store said at most a few seconds ago. Never rejects. */
export function createLevels({ store, numbers, more = [], onError }: LevelDeps): () => Promise<void> {
  const sources: readonly LevelSource[] = [
    async () => previewLevels(await store.current()),
    async () => [
      { name: "stackling_paused", labels: {}, value: (await store.pause()) ? 1 : 0 },
      ...sweepLevels(await store.lastSweep()),
    ],
    async () => {
      const [{ depth, working, oldestSeconds }, unproved] = await Promise.all([store.backlog(), store.unproved()]);
      return [
        { name: "stackling_inbox_depth", labels: {}, value: depth },
        { name: "stackling_inbox_working", labels: {}, value: working },
        { name: "stackling_inbox_oldest_age_seconds", labels: {}, value: oldestSeconds },
        { name: "stackling_previews_unproved", labels: {}, value: unproved },
      ];
    },
  ];
  const said = new Set<NameOf<"gauge">>();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const asked = await Promise.allSettled([...sources, ...more].map((source) => inTime(source())));
    const failed = asked.find((outcome) => outcome.status === "rejected");
    if (failed) onError(failed.reason);
    // What is not known any more must not look as if it were.
    for (const name of said) numbers.clear(name);
    for (const level of asked.flatMap((one) => (one.status === "fulfilled" ? one.value : []))) {
      said.add(level.name);
      numbers.set(level);
    }
    numbers.set({ name: "stackling_store_up", labels: {}, value: asked[0]?.status === "fulfilled" ? 1 : 0 });
    readAt = performance.now();
  }

  return async () => {
    if (performance.now() - readAt < FRESH_MS) return;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
  };
}

/** The same, read once in some minutes: a month of the ledger is much to read, and moves no faster. */
export function seldom(read: LevelSource): LevelSource {
  let known: { readonly at: number; readonly levels: ReturnType<LevelSource> } | undefined;
  return () => {
    const at = performance.now();
    if (known && at - known.at < SELDOM_MS) return known.levels;
    const levels = read();
    known = { at, levels };
    // A failed read is asked for again by the next scrape.
    levels.catch(() => {
      known = undefined;
    });
    return levels;
  };
}

/** Rejects where the answer takes longer than anybody waits for a scrape. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`reading metrics: no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Pure. Repositories with any preview say 0 of what they have none of, so that a graph falls to 0 and does not end. */
export function previewLevels(all: readonly Preview[]): readonly Level[] {
  const here = all.filter(({ status }) => status.goneAt === undefined);
  const previews = here.filter(({ key }) => !isStage(key));
  const repositories = [...new Set(previews.map(({ repository }) => repository))];
  const isQueued = ({ status }: Preview) => status.reason === "Queued";
  const isDrifted = ({ status }: Preview) => (status.drift?.differences.length ?? 0) > 0;
  const isAsleep = (preview: Preview) => stageOf(preview) === "Asleep";
  const counted = {
    stackling_previews_asleep: isAsleep,
    stackling_previews_queued: isQueued,
    stackling_previews_drifted: isDrifted,
    stackling_previews_destroy_failing: isAlarming,
  } as const;
  const names = Object.keys(counted) as (keyof typeof counted)[];
  return [
    ...tally(previews, (preview) => ({
      name: "stackling_previews",
      labels: { repository: preview.repository, condition: preview.status.condition, stage: stageOf(preview) },
    })),
    ...tally(previews, ({ repository, status: { reason } }) => ({
      name: "stackling_previews_by_reason",
      labels: { repository, reason },
    })),
    ...tally(
      here.filter(({ key }) => isStage(key)),
      ({ repository, status: { condition } }) => ({ name: "stackling_stages", labels: { repository, condition } }),
    ),
    ...names.flatMap((name) => {
      const counts = new Map(repositories.map((repository) => [repository, 0]));
      for (const preview of previews.filter(counted[name])) {
        counts.set(preview.repository, (counts.get(preview.repository) ?? 0) + 1);
      }
      return [...counts].map(([repository, value]) => ({ name, labels: { repository }, value }));
    }),
  ];
}

type Unvalued<L> = L extends Level ? Omit<L, "value"> : never;

function tally(previews: readonly Preview[], levelOf: (preview: Preview) => Unvalued<Level>): readonly Level[] {
  const counts = new Map<string, Level>();
  for (const preview of previews) {
    const level = levelOf(preview);
    const id = JSON.stringify(level);
    counts.set(id, { ...level, value: (counts.get(id)?.value ?? 0) + 1 } as Level);
  }
  return [...counts.values()];
}

function sweepLevels(last: SweepReport | undefined): readonly Level[] {
  if (!last) return [];
  const said = Object.entries(straysOf(last));
  return [
    { name: "stackling_sweep_last_timestamp_seconds", labels: {}, value: Date.parse(last.at) / 1000 },
    ...said.map(([outcome, value]): Level => ({ name: "stackling_sweep_last_strays", labels: { outcome }, value })),
  ];
}

/** How many were found, and what became of them. */
export function straysOf({ found, removed, failed }: SweepReport) {
  const kept = found.filter(({ stack }) => !removed.includes(stack) && !failed.some((one) => one.stack === stack));
  return { found: found.length, removed: removed.length, failed: failed.length, kept: kept.length };
}
