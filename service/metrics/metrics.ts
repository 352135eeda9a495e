/** What the parts of the service are handed to count with; each has the shape of that part's own hook. */
import process from "node:process";
import type { Logger } from "pino";
import { ConflictError, StacklingError } from "../../components/errors.ts";
import { parseKey } from "../../infra/names.ts";
import type { DriftReport, EngineLoad, Stacks } from "../../infra/stacks.ts";
import type { Acted } from "../actuate.ts";
import type { Compare } from "../drift/compare.ts";
import type { WatchFetch } from "../forges/forge.ts";
import type { MergeSeen } from "../kpis/pull-requests.ts";
import type { Preview } from "../status.ts";
import type { MoveWatch } from "../store/moves.ts";
import type { Store } from "../store/store.ts";
import type { SweepReport } from "../sweep/report.ts";
import { versionsReady } from "../trends/sample.ts";
import type { Answered } from "../webhooks.ts";
import { createForgeWatch } from "./forge-requests.ts";
import { gatewayCount } from "./gateway.ts";
import { createLevels, inTime, type LevelDeps, type LevelSource, straysOf } from "./levels.ts";
import { createNumbers } from "./registry.ts";

export interface MetricsDeps {
  readonly version: string;
  readonly store: LevelDeps["store"] & MoveWatch & Pick<Store, "history">;
  readonly logger: Pick<Logger, "warn">;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Entries of the history in which a version's beginning is looked for. */
const MOVES_READ = 100;

/** Counts of one instance. No method of it throws or rejects but `text`. */
export function createMetrics({ version, store, logger }: MetricsDeps) {
  const elapsed = () => performance.now();
  const onError = (error: unknown) =>
    logger.warn({ err: error }, "reading metrics failed; the next scrape tries again");
  const numbers = createNumbers();
  const more: LevelSource[] = [];
  const limits: (() => void)[] = [];
  const readLevels = createLevels({ store, numbers, more, onError });
  numbers.set({ name: "stackling_build_info", labels: { version, node: process.version }, value: 1 });
  let engineLoad: (() => EngineLoad) | undefined;
  const unread = new Set<Promise<void>>();

  function acted({ repository, action, outcome, ms }: Acted): void {
    numbers.observe("stackling_reconcile_duration_seconds", { action, outcome }, ms / 1000);
    if (action === "destroy") numbers.add("stackling_destroy_attempts_total", { repository, outcome });
  }

  function moved(before: Preview, after: Preview): void {
    const { repository } = after;
    const { condition, reason, since } = after.status;
    numbers.add("stackling_transitions_total", { repository, condition, reason });
    if (reason !== "Healthy") return;
    if (before.status.reason === "Waking") {
      const tookMs = Date.parse(since) - Date.parse(before.status.since);
      numbers.observe("stackling_wake_duration_seconds", { repository }, tookMs / 1000);
      return;
    }
    const done = observeReady(after)
      .catch(onError)
      .finally(() => unread.delete(done));
    unread.add(done);
  }

  /** Where the version began that came to serve stands in the history. */
  async function observeReady(preview: Preview): Promise<void> {
    const { key, repository, status } = preview;
    const moves = (await store.history(key, MOVES_READ)).toReversed();
    const justBefore = new Date(Date.parse(status.since) - 1).toISOString();
    const [version] = versionsReady(moves, [preview], justBefore);
    if (version) numbers.observe("stackling_time_to_ready_seconds", { repository }, version.seconds);
  }

  store.onMove(moved);
  store.onReceipt(({ key, reason }) => {
    numbers.add("stackling_destroy_proofs_total", { repository: repositoryOf(key), reason });
  });

  return {
    /** Further gauges that are read when somebody asks. */
    alsoRead: (source: LevelSource): void => void more.push(source),

    delivered: ({ forge, event = "", outcome, reason = "" }: Answered): void =>
      numbers.add("stackling_deliveries_total", { forge, event, outcome, reason }),

    acted,

    merged: ({ repository, previewed, leadSeconds }: MergeSeen): void =>
      numbers.observe(
        "stackling_lead_time_seconds",
        { repository, preview: previewed ? "with" : "without" },
        leadSeconds,
      ),

    /** One key's reconcile, given what to tell of each action; one that has none was a look. */
    async reconciled(reconcile: (onActed: (acted: Acted) => void) => Promise<void>): Promise<void> {
      const begun = elapsed();
      let acts = 0;
      const looked = (outcome: Acted["outcome"]) => {
        if (acts > 0) return;
        const labels = { action: "look", outcome };
        numbers.observe("stackling_reconcile_duration_seconds", labels, (elapsed() - begun) / 1000);
      };
      try {
        await reconcile((act) => {
          acts += 1;
          acted(act);
        });
        looked("done");
      } catch (error) {
        looked("failed");
        throw error;
      }
    },

    swept(report: SweepReport): void {
      if (report.dryRun) return;
      const strays = straysOf(report);
      const outcome =
        report.unread.length > 0 ? "unread" : strays.failed > 0 ? "failed" : strays.found > 0 ? "found" : "clean";
      numbers.add("stackling_sweeps_total", { outcome });
      for (const [what, count] of Object.entries(strays)) {
        if (count > 0) numbers.add("stackling_sweep_strays_total", { outcome: what }, count);
      }
    },

    /** The same comparison, counted; one that was broken off is none. */
    compared:
      (compare: Compare): Compare =>
      async (key, how) => {
        const count = (outcome: string) =>
          numbers.add("stackling_drift_looks_total", { repository: repositoryOf(key), outcome });
        try {
          const report: DriftReport = await compare(key, how);
          count(report.differences.length > 0 ? "drifted" : "same");
          return report;
        } catch (error) {
          if (!how?.interrupt?.aborted && !isOfNone(error)) count("unread");
          throw error;
        }
      },

    /** The same engines, counted. */
    running(stacks: Stacks): Stacks {
      engineLoad = stacks.load;
      const counted = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
        const begun = elapsed();
        let outcome = "done";
        try {
          return await run();
        } catch (error) {
          outcome = outcomeOf(error);
          throw error;
        } finally {
          numbers.add("stackling_engine_runs_total", { operation, outcome });
          numbers.observe("stackling_engine_run_duration_seconds", { operation }, (elapsed() - begun) / 1000);
        }
      };
      return {
        ...stacks,
        up: (request) => counted("up", () => stacks.up(request)),
        destroy: (request) => counted("destroy", () => stacks.destroy(request)),
        drift: (request) => counted("drift", () => stacks.drift(request)),
      };
    },

    forgeWatch(forge: string): WatchFetch {
      const { watch, tell } = createForgeWatch({ numbers, forge, elapsed, now: Date.now });
      limits.push(tell);
      return watch;
    },

    /** Of the gateway; see `metered`. */
    gateway: gatewayCount(numbers),

    /** All of it, as Prometheus reads it. */
    async text(): Promise<string> {
      await Promise.all([readLevels(), inTime(Promise.all(unread)).catch(onError)]);
      for (const tell of limits) tell();
      const { size, running, waiting } = engineLoad?.() ?? { size: 0, running: 0, waiting: 0 };
      for (const [state, value] of Object.entries({ size, running, waiting })) {
        numbers.set({ name: "stackling_engines", labels: { state }, value });
      }
      return numbers.text();
    },
  };
}

function repositoryOf(key: string): string {
  return parseKey(key)?.repository ?? "";
}

/** No comparison began: somebody else holds the stack, or there is none of that key, which anybody may make up. */
function isOfNone(error: unknown): boolean {
  return error instanceof ConflictError || (error instanceof StacklingError && error.reason === "NoSuchPreview");
}

function outcomeOf(error: unknown): string {
  if (error instanceof ConflictError) return "conflict";
  return error instanceof StacklingError && error.reason === "EngineInterrupted" ? "interrupted" : "failed";
}
