/** `refresh: deploy`: a baseline that is built anew right before a preview's database is made of it. */
import { ConflictError, StacklingError } from "../../components/errors.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import type { OperatorConfig } from "../config/types.ts";
import { type Baselines, type BaselinesDeps, startBaselines } from "./keeper.ts";

/** As many lines as a message to people may carry. */
const EXCERPT_LINES = 20;

export interface FreshDeps {
  readonly config: Pick<OperatorConfig, "baselines">;
  readonly baselines: Pick<Baselines, "build">;
}

export interface Making {
  /** What serves now. */
  readonly live: PreviewSpec | undefined;
  /** Told what is being done. */
  readonly say: (message: string) => void;
  /** The wait ends with it; the build goes on, for others may wait too. */
  readonly signal: AbortSignal;
}

/** Resolves when the database may be made. */
export type PrepareDatabase = (spec: PreviewSpec, making: Making) => Promise<void>;

export interface FreshBaselines extends Baselines {
  readonly prepare: PrepareDatabase;
}

/** With the builds that come by themselves; what is pushed to `undo` breaks off what runs. */
export function startFreshBaselines(deps: BaselinesDeps, undo: { push(end: () => Promise<unknown>): unknown }) {
  const baselines = startBaselines(deps);
  undo.push(() => baselines.close());
  return { ...baselines, prepare: createFreshCopies({ ...deps, baselines }) } satisfies FreshBaselines;
}

/**
 * Builds only where the update makes a database, once for each generation of a life; whoever comes while one is built waits
 * for that. Errors are `DatabaseFailed`, but `ConflictError` while another replica builds it.
 */
export function createFreshCopies({ config, baselines }: FreshDeps): PrepareDatabase {
  const fresh = new Set(config.baselines?.flatMap(({ name, refresh }) => (refresh ? [name] : [])));
  /** By stack: the life and generation whose baseline this process has built, so that an update tried again does not wait. */
  const built = new Map<string, string>();
  return async (spec, { live, say, signal }) => {
    const name = spec.database?.baseline;
    if (name === undefined || !fresh.has(name) || !isMade(spec, live)) return;
    // Reopened, its generations go on from where they were.
    const making = `${name} ${spec.generations.database} ${spec.tags.created}`;
    if (built.get(spec.stack) === making) return;
    await abortable(signal, follow(baselines, name, say)).catch((error: unknown) => {
      throw wordsOf(name, error);
    });
    built.set(spec.stack, making);
  };
}

function isMade({ database, generations }: PreviewSpec, live: PreviewSpec | undefined): boolean {
  return live?.generations.database !== generations.database || live.database?.baseline !== database?.baseline;
}

async function follow(baselines: FreshDeps["baselines"], name: string, say: Making["say"]): Promise<void> {
  for await (const line of baselines.build(name)) {
    if ("step" in line) say(`Building the baseline "${name}": ${line.step}.`);
  }
}

async function abortable(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const ended = Promise.withResolvers<never>();
  const onAbort = () => {
    ended.reject(new StacklingError({ reason: "EngineInterrupted", userMessage: "it was not waited for any more" }));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}

function wordsOf(name: string, error: unknown): unknown {
  if (!(error instanceof StacklingError) || error.reason === "EngineInterrupted") return error;
  const [what, ...further] = error.userMessage.split("\n");
  const excerpt = [...further, ...error.excerpt].slice(0, EXCERPT_LINES);
  const userMessage = `making a fresh copy of baseline "${name}": ${what}`;
  if (error instanceof ConflictError) return new ConflictError({ reason: "Queued", userMessage, cause: error });
  // Never for a push to mend: the source, its rules and the server are the operator's.
  return new StacklingError({ reason: "DatabaseFailed", userMessage, excerpt, cause: error });
}
