/** The configured baselines: built when asked for and on schedule, listed, and looked into. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { ConflictError, StacklingError, TerminalError } from "../../components/errors.ts";
import { resolveServer, type ServerReference } from "../../components/local/database-server.ts";
import { replaceFile } from "../../components/local/json-file.ts";
import type { Finding } from "../../components/ports.ts";
import { type BaselineConfig, serversOf } from "../config/baselines.ts";
import { closest } from "../config/closest.ts";
import type { OperatorConfig } from "../config/types.ts";
import { every } from "../every.ts";
import { resolveSecret } from "../secret-reference.ts";
import { type Baseline, listBaselines, withBaselineCopy } from "./baselines.ts";
import { type BaselineFinding, type CheckReport, checkRows } from "./check.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { Names } from "./names.ts";
import { type Unclassified, UnclassifiedError } from "./rules.ts";
import { checkSource } from "./source-check.ts";

/** One of them, or one that is configured and was not built yet. */
export interface BaselineView {
  readonly name: string;
  /** ISO 8601 UTC; null: not built yet. */
  readonly builtAt: string | null;
  readonly bytes: number;
  readonly newest: boolean;
  /** What it is built from; null: it is not in the config any more. */
  readonly source: "dump" | "url" | "seed" | null;
  /** When it is built anew by itself; null: only when asked for. */
  readonly nextAt: string | null;
  readonly building: boolean;
  /** Why the last build failed, where nothing was built since; null: it did not, or the service began anew. */
  readonly failure: string | null;
}

/** One line of what a build says; the last holds `baseline`. */
export type BuildLine =
  | { readonly step: string }
  | { readonly unclassified: readonly Unclassified[] }
  | { readonly baseline: Baseline; readonly findings: readonly BaselineFinding[] };

/** One line of what a check says; the last holds `report`. */
export type CheckLine = { readonly step: string } | { readonly report: CheckReport };

export interface Baselines {
  list(): Promise<readonly BaselineView[]>;
  /** Builds it, or follows the build that runs. It goes on when nobody follows any more; errors end the lines. */
  build(name: string): AsyncIterable<BuildLine>;
  /** Looks into it; ends when nobody reads the lines any more. */
  check(name: string, names: readonly string[], signal: AbortSignal): AsyncIterable<CheckLine>;
  /** What `doctor` says of those that are configured. */
  findings(): Promise<readonly Finding[]>;
}

export interface BaselinesDeps {
  readonly config: Pick<OperatorConfig, "baselines" | "targets">;
  /** Absolute. */
  readonly dataDir: string;
  readonly now: () => string;
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 60_000;
/** One that failed is left in peace for so long. */
const AGAIN_AFTER_MS = 3_600_000;

/** With the builds that come by themselves; `close` breaks off what runs, by which nothing is changed. */
export function startBaselines(deps: BaselinesDeps): Baselines & { close(): Promise<void> } {
  const { config, dataDir, now, logger } = deps;
  const configured = config.baselines ?? [];
  const stopping = new AbortController();
  const running = new Map<string, Feed<BuildLine>>();
  /** What the last build of this process took out, by baseline. */
  const takenOut = new Map<string, Names>();
  const failures = new Map<string, { readonly atMs: number; readonly message: string }>();
  const scheduled = configured.filter(({ everySeconds }) => everySeconds !== undefined);
  const timer = scheduled.length > 0 ? every(deps.lookEveryMs ?? LOOK_EVERY_MS, buildDue) : undefined;

  function find(name: string): BaselineConfig {
    const found = configured.find((one) => one.name === name);
    if (found) return found;
    const names = configured.map((one) => one.name);
    const hint = closest(name, names);
    const way = hint
      ? `did you mean "${hint}"?`
      : names.length > 0
        ? `known: ${names.join(", ")}`
        : 'the config has no "baselines"';
    throw new TerminalError({
      reason: "NoSuchBaseline",
      userMessage: `finding baseline "${name}": there is none; ${way}`,
    });
  }

  function begin(one: BaselineConfig): Feed<BuildLine> {
    const known = running.get(one.name);
    if (known) return known;
    const feed = createFeed<BuildLine>(async (say) => {
      try {
        // Lazy: what makes values up is large, and most starts build nothing.
        const { buildBaseline } = await import("./build.ts");
        const { names, ...built } = await buildBaseline({
          config: one,
          adminUrl: await resolveServer(one.server),
          key: await keyOf(one, dataDir),
          now: now(),
          onStep: (step) => say({ step }),
          signal: stopping.signal,
        });
        takenOut.set(one.name, names);
        failures.delete(one.name);
        logger.info(
          { baseline: one.name, bytes: built.baseline.bytes, findings: built.findings.length },
          "built a baseline",
        );
        say(built);
      } catch (error) {
        if (error instanceof UnclassifiedError) say({ unclassified: error.columns });
        // Another replica was quicker: no failure of ours.
        if (!(error instanceof ConflictError)) {
          logger.warn({ err: error, baseline: one.name }, "building a baseline failed");
          const message = error instanceof StacklingError ? error.userMessage : "it went wrong; the log says how";
          failures.set(one.name, { atMs: Date.parse(now()), message });
        }
        throw stopping.signal.aborted ? brokenOff(one.name, error) : error;
      } finally {
        running.delete(one.name);
      }
    });
    running.set(one.name, feed);
    return feed;
  }

  async function list(): Promise<readonly BaselineView[]> {
    const found = (
      await Promise.all(serversFor(config).map(async (server) => listBaselines(await resolveServer(server))))
    ).flat();
    const missing = configured.filter(({ name }) => !found.some((one) => one.name === name));
    return [
      ...found.map(viewOf),
      ...missing.map(({ name }) => viewOf({ name, builtAt: null, bytes: 0, newest: true })),
    ];
  }

  function viewOf(one: Omit<Baseline, "builtAt"> & Pick<BaselineView, "builtAt">): BaselineView {
    const typed = configured.find(({ name }) => name === one.name);
    const { everySeconds } = typed ?? {};
    const next =
      everySeconds === undefined || !one.newest
        ? undefined
        : one.builtAt === null
          ? Date.parse(now())
          : Date.parse(one.builtAt) + everySeconds * 1000;
    return {
      ...one,
      source: typed?.source.kind ?? null,
      nextAt: next === undefined ? null : new Date(next).toISOString(),
      building: one.newest && running.has(one.name),
      failure: (one.newest && failures.get(one.name)?.message) || null,
    };
  }

  async function buildDue(): Promise<void> {
    try {
      const due = (await list()).filter(({ nextAt, building }) => nextAt !== null && !building && nextAt <= now());
      for (const { name } of due) {
        const failed = failures.get(name)?.atMs;
        if (stopping.signal.aborted || (failed !== undefined && Date.parse(now()) - failed < AGAIN_AFTER_MS)) continue;
        // Told already; the next may go well.
        await begin(find(name)).done.catch(() => undefined);
      }
    } catch (error) {
      logger.warn({ err: error }, "looking for baselines that are due failed; it is tried again in a while");
    }
  }

  return {
    list,
    async *build(name) {
      yield* begin(find(name)).lines();
    },
    async *check(name, names, signal) {
      const server = await serverOf(name);
      const rules = configured.find((one) => one.name === name)?.columns;
      yield* createFeed<CheckLine>(async (say) => {
        const report = await withBaselineCopy(server, name, (url) =>
          checkRows({
            url,
            names: [...names, ...(takenOut.get(name) ?? [])],
            ...(rules ? { rules } : {}),
            onStep: (step) => say({ step }),
            signal: AbortSignal.any([signal, stopping.signal]),
          }),
        );
        say({ report });
      }).lines();
    },
    async findings() {
      if (configured.length === 0) return [];
      const built = (await list()).filter(({ newest, source }) => newest && source !== null).map(findingOf);
      const sources = await Promise.all(configured.map((one) => checkSource(one)));
      return [...built, ...sources.flat()];
    },
    async close() {
      stopping.abort();
      await timer?.close();
      await Promise.all([...running.values()].map(({ done }) => done.catch(() => undefined)));
    },
  };

  /** Also of one that is in the config no more, where it is on the only server. */
  async function serverOf(name: string): Promise<string> {
    const typed = configured.find((one) => one.name === name);
    const servers = serversFor(config);
    const [only] = servers;
    return resolveServer(typed?.server ?? (servers.length === 1 && only ? only : find(name).server));
  }
}

function findingOf({ name, builtAt, building, failure }: BaselineView): Finding {
  const built = builtAt === null ? "was not built yet" : `is of ${builtAt}`;
  const [first] = failure?.split("\n") ?? [];
  const what = `baseline "${name}" ${built}${first === undefined ? "" : `, and the last build failed: ${first}`}`;
  if (building || (builtAt !== null && failure === null)) return { ok: true, what };
  return { ok: false, what, remedy: `stackling baseline build ${name}` };
}

function serversFor({ baselines = [], targets }: BaselinesDeps["config"]): readonly ServerReference[] {
  const all = [...baselines.map(({ server }) => server), ...serversOf(targets).map(({ found }) => found)];
  return [...new Map(all.map((server) => [JSON.stringify(server), server])).values()];
}

/** The config's, else made once. */
async function keyOf({ key }: BaselineConfig, dataDir: string): Promise<Uint8Array> {
  if (key) return Buffer.from(await resolveSecret(key));
  const file = join(dataDir, "baselines.key");
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (kept) return Buffer.from(kept, "base64url");
  const made = randomBytes(32);
  await replaceFile(file, made.toString("base64url"));
  return made;
}

function brokenOff(name: string, cause: unknown): StacklingError {
  return new StacklingError({
    reason: "Stopping",
    userMessage: `building baseline "${name}": broken off, as the service stops; the one before stays`,
    cause,
  });
}
