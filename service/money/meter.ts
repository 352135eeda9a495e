/** Reads what previews take time and again and writes it into the ledger: one replica at a time, whichever comes first. */
import { isStage } from "../../infra/names.ts";
import { every } from "../every.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { within } from "../within.ts";
import type { World } from "../world.ts";
import { chargesOf } from "./charges.ts";
import type { LedgerStore } from "./ledger.ts";
import type { Prices } from "./prices.ts";
import { type Reading, reckon } from "./reckon.ts";
import type { CostAbout } from "./types.ts";

/** The lease of this name, which no stack can have, is the turn to look. */
const TURN = "@costs";
const LOOK_EVERY_MS = 60_000;
/** Of what sleeps only its disk counts, and what lies on a disk takes time to count. */
const SELDOM_MS = 3_600_000;
/** What could not be counted there has held up the others, and is not asked again with every look. */
const HELD_AGAIN_MS = 600_000;
const TRIM_EVERY_MS = 86_400_000;
/** Drivers are asked of so many previews at once, */
const AT_ONCE = 4;
/** and one that is silent must not hold up the others; counting files on a slow disk takes the longest. */
const ASK_WITHIN_MS = 130_000;
const SILENT = { counters: [], held: [], failed: new Error("asking what a preview takes: no answer") };

type Target = NonNullable<Preview["status"]["live"]>["target"];

export interface MeterDeps {
  readonly store: Pick<Store, "current" | "find" | "acquireLease"> & LedgerStore;
  readonly world: Pick<World, "usage" | "counting">;
  readonly prices: Prices;
  /** ISO 8601 UTC */
  readonly now: () => string;
  /** Milliseconds by a clock that nobody sets. */
  readonly elapsed?: () => number;
  readonly logger: { warn(fields: object, message: string): void };
  readonly lookEveryMs?: number;
}

export interface Meter {
  /** Looks at once at all that is due. */
  look(): Promise<void>;
  /** Resolves when a look under way has ended, which asks nobody any further. */
  close(): Promise<void>;
}

export function startMeter(deps: MeterDeps): Meter {
  const { store, world, prices, now, logger, elapsed = () => performance.now() } = deps;
  const timer = every(deps.lookEveryMs ?? LOOK_EVERY_MS, look);
  const stopping = new AbortController();
  /** When this process wrote the reading of that time: how long ago that is no change of the clock moves. */
  const written = new Map<string, { readonly at: string; readonly elapsedMs: number }>();
  const failing = new Set<string>();
  /** When what it holds was asked last and not told, by `elapsed`. */
  const heldFailed = new Map<string, number>();
  let trimmedMs: number | undefined;

  async function look(): Promise<void> {
    try {
      const turn = await store.acquireLease(TURN);
      if (!turn) return;
      try {
        await lookAtAll(turn.lost);
        if (trimmedMs !== undefined && elapsed() - trimmedMs < TRIM_EVERY_MS) return;
        await store.trimCosts(now());
        trimmedMs = elapsed();
      } finally {
        await turn.release();
      }
    } catch (error) {
      logger.warn({ err: error }, "counting what previews cost failed; it is tried again in a while");
    }
  }

  async function lookAtAll(lost: AbortSignal): Promise<void> {
    const [previews, readings] = [await store.current(), await store.readings()];
    const living = new Set(previews.map(({ key }) => key));
    const ended = [...readings].filter(([key, { gone }]) => !gone && !living.has(key));
    const looked = new Set([...living, ...ended.map(([key]) => key)]);
    for (const known of [written, failing, heldFailed])
      for (const key of known.keys()) if (!looked.has(key)) known.delete(key);
    const gone = await Promise.all(ended.map(([key]) => store.find(key)));
    const left = [...previews, ...gone.filter((one) => one !== undefined)].values();
    const lookAtRest = async () => {
      for (const preview of left) {
        if (lost.aborted || stopping.signal.aborted) return;
        await lookAt(preview, readings.get(preview.key)).catch((error) => complain(preview.key, error));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lookAtRest));
  }

  async function lookAt(preview: Preview, before: Reading | undefined): Promise<void> {
    const { key, stack, status, createdAt } = preview;
    const spec = status.live;
    const target = spec?.target ?? status.builtOn?.at(-1) ?? before?.target;
    const tags = spec?.tags ?? before?.tags;
    const isGone = status.goneAt !== undefined;
    const isAwake = spec !== undefined && status.awake && !isGone;
    const at = status.goneAt ?? now();
    const sinceMs = before === undefined ? 0 : sinceReading(preview, before, at);
    if (!target || !isDue(before, { isAwake, isGone, hasSpec: spec !== undefined, sinceMs })) return;
    const commit = spec?.source.commit;
    const heldDue = !isGone && (commit !== before?.commit || isOld(before?.heldAt, at));
    const heldAsked = heldDue && elapsed() - (heldFailed.get(key) ?? -HELD_AGAIN_MS) >= HELD_AGAIN_MS;
    const asked = world.usage(target, stack, { held: heldAsked });
    const told = await within(ASK_WITHIN_MS, unlessStopping(asked), SILENT);
    // The next life asks again, and goes on from the reading before.
    if (told === undefined) return;
    const { failed, ...usage } = told;
    if (heldAsked && failed) heldFailed.set(key, elapsed());
    else if (heldAsked) heldFailed.delete(key);
    if (failed) complain(key, failed);
    else if (!heldFailed.has(key)) failing.delete(key);
    // Behind a first version that does not come up its database stands, and is paid.
    const ours = chargesOf(spec ?? status.expected ?? nothing(target), prices, await world.counting(target));
    const charged = isGone && before?.lines ? { ...ours, lines: before.lines } : ours;
    const { lines, reading } = reckon(
      before,
      {
        ...{ at, createdAt, elapsedMs: sinceMs, awake: isAwake, gone: isGone, commit, tags, target, usage },
        ...(wasOff(target, key, before) ? { awakeMs: LOOK_EVERY_MS } : {}),
        heldAsked: heldAsked && !failed,
      },
      charged,
    );
    if (await store.addCosts({ about: aboutOf(preview, target.name, tags), lines, reading, before })) {
      written.set(key, { at, elapsedMs: elapsed() });
    }
  }

  /** Undefined once this is being closed: whoever stops the service does not wait for a disk or a cloud. */
  async function unlessStopping<T>(work: Promise<T>): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const stop = () => resolve(undefined);
    if (stopping.signal.aborted) stop();
    stopping.signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      stopping.signal.removeEventListener("abort", stop);
    }
  }

  /** Once for each outage, for it is looked every minute. */
  function complain(key: string, error: unknown): void {
    if (!failing.has(key)) {
      logger.warn(
        { key, err: error },
        "what a preview takes could not be counted; it is tried again, and caught up on",
      );
    }
    failing.add(key);
  }

  /** Services on this machine end with the process that started them, at most a look behind the reading of another life. */
  function wasOff(target: Target, key: string, before: Reading | undefined): boolean {
    return target.service.driver === "local" && written.get(key)?.at !== before?.at;
  }

  /** By our own clock where this process wrote the last one; else the machine's is believed. */
  function sinceReading(preview: Preview, { at: last }: Reading, at: string): number {
    const ours = written.get(preview.key);
    const byClock = Math.max(0, Date.parse(at) - Date.parse(last));
    if (ours?.at !== last) return byClock;
    const sinceMs = elapsed() - ours.elapsedMs;
    return preview.status.goneAt === undefined ? sinceMs : Math.min(byClock, sinceMs);
  }

  return {
    look,
    async close() {
      stopping.abort();
      await timer.close();
    },
  };
}

function isDue(
  before: Reading | undefined,
  now: { readonly isAwake: boolean; readonly isGone: boolean; readonly hasSpec: boolean; readonly sinceMs: number },
): boolean {
  if (before === undefined || before.gone) return !now.isGone;
  // One that is still being brought up builds, and has no word of that.
  return now.isAwake || before.awake || now.isGone || !now.hasSpec || now.sinceMs >= SELDOM_MS;
}

function isOld(at: string | undefined, now: string): boolean {
  return at === undefined || Math.abs(Date.parse(now) - Date.parse(at)) >= SELDOM_MS;
}

/** Before it has a stack a preview takes what its builds take, and nothing by the hour. */
function nothing(target: Target) {
  return { target, services: [], urls: {}, generatedSecrets: [], grantedSecrets: [] };
}

/** Of the version that serves, or served last, else as far as the forge tells. */
function aboutOf(
  { key, repository, number, pullRequest }: Preview,
  target: string,
  tags: Reading["tags"] = {},
): CostAbout {
  const { team, owner, "cost-center": costCenter } = tags;
  const said = {
    title: pullRequest?.title,
    author: isStage(key) ? undefined : pullRequest?.author,
    ...{ number, team, costCenter, owner },
  };
  return { key, repository, target, ...definedOf(said) };
}

function definedOf<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
