/**
 * A warm process for engine runs, one at a time. The Automation API, the drivers and the provider are
 * loaded once; it is apart from webhooks and gateway because the API installs process-wide error
 * handlers during a run.
 */
import { admitFence } from "../components/local/fence.ts";
import { redact } from "../components/local/redact.ts";
import type { LocalSettings } from "../components/local/resource.ts";
import { type Extension, loadDrivers, previewProgram, type Registry } from "./program.ts";
import {
  type ChildSettings,
  type FromChild,
  fromWire,
  type Question,
  type ToChild,
  toWire,
  type WireError,
  type Work,
} from "./runner-messages.ts";
import type { PreviewSpec } from "./spec.ts";
import { createStackDriver, type StackDriver } from "./stack-driver.ts";
import type { EngineProcess, RunHooks } from "./stacks.ts";

const HEARTBEAT_MS = 1_000;
/** An engine that was stopped, killed or broke down (a panic). */
const BROKEN_OFF = new Set(["EngineInterrupted", "EngineTimedOut", "EngineFailed"]);

/** Serves runs until the parent is gone. */
function main(): void {
  const state: ChildState = { lastAsk: 0, asks: new Map(), interrupt: new AbortController() };
  process.on("message", (message: ToChild) => void receive(state, message));
  process.on("disconnect", () => process.exit(0));
  for (const kind of ["unhandledRejection", "uncaughtException"] as const) {
    process.on(kind, (error: unknown) => {
      // During a program the API listens too and turns a stray error into the run's failure.
      if (process.listenerCount(kind) > 1) return;
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    });
  }
}

/** Whose cause goes to the service's log; people see only that the engine failed, or that somebody holds a lock. */
const LOGGED = new Set(["EngineFailed", "Locked"]);
/** What broke stands at the beginning; behind it an engine's panic tells of every goroutine. */
const LOGGED_MAX = 10_000;

interface ChildState {
  ready?: Ready;
  /** The run under way. */
  current?: { readonly stack: string; readonly fence: number };
  interrupt: AbortController;
  lastAsk: number;
  readonly asks: Map<number, { resolve(engines: readonly EngineProcess[]): void; reject(error: Error): void }>;
}

interface Ready {
  readonly settings: ChildSettings;
  readonly driver: StackDriver;
  readonly registry: Registry;
}

interface ProviderModule {
  startProvider(
    settings: LocalSettings,
    deps: {
      currentFence(stack: string): number | undefined;
      onOutput(stack: string, source: string, lines: readonly string[]): void;
    },
  ): Promise<{ readonly port: number }>;
}

async function receive(state: ChildState, message: ToChild): Promise<void> {
  switch (message.type) {
    case "configure":
      state.ready = await prepare(state, message.settings);
      setInterval(() => send({ type: "beat" }), HEARTBEAT_MS);
      return send({ type: "ready" });
    case "run":
      return serve(state, message);
    case "interrupt":
      return state.interrupt.abort();
    case "answer":
      return settle(state, message);
  }
}

async function prepare(state: ChildState, settings: ChildSettings): Promise<Ready> {
  const [{ registry }, { startProvider }] = await Promise.all([
    import(settings.modules.registry) as Promise<{ registry: Registry }>,
    import(settings.modules.provider) as Promise<ProviderModule>,
  ]);
  const provider = await startProvider(settings.provider, {
    currentFence: (stack) => (state.current?.stack === stack ? state.current.fence : undefined),
    // A build of an earlier run that goes on is none of the next one's.
    onOutput: (stack, source, lines) => {
      if (state.current?.stack === stack) send({ type: "output", output: { source, lines } });
    },
  });
  const environment = { ...settings.driver.environment, PULUMI_DEBUG_PROVIDERS: `stackling:${provider.port}` };
  return { settings, registry, driver: createStackDriver({ ...settings.driver, environment }) };
}

async function serve(state: ChildState, { stack, fence, work }: ToChild & { type: "run" }): Promise<void> {
  const { ready } = state;
  if (!ready) throw new Error("running an engine: the child is not configured");
  state.current = { stack, fence };
  state.interrupt = new AbortController();
  try {
    await admitFence(ready.settings.provider.dataDir, stack, fence);
    send({ type: "done", result: await perform(ready, stack, work, hooks(state)) });
  } catch (error) {
    const failure = toWire(error);
    if (LOGGED.has(failure.reason) && failure.cause)
      process.stderr.write(`${stack}: ${redact(failure.cause).slice(0, LOGGED_MAX)}\n`);
    send({ type: "failed", error: failure, spent: isSpent(work, failure) || state.interrupt.signal.aborted });
  } finally {
    delete state.current;
  }
}

/**
 * A program goes on by itself when its engine ends before it, such as over one refused resource while it
 * waits for a cluster. What it does later must not be taken for the next run's. Behind a lock none began.
 */
function isSpent({ kind }: Work, failure: WireError): boolean {
  return BROKEN_OFF.has(failure.reason) || (kind === "up" && failure.kind !== "conflict");
}

async function perform({ driver, registry }: Ready, stack: string, work: Work, runHooks: RunHooks) {
  if (work.kind === "destroy") return driver.destroy(stack, runHooks);
  if (work.kind === "drift") return driver.drift(stack, runHooks);
  const { spec, secrets, refresh, mayBeNew } = work;
  const program = previewProgram(spec, await loadDrivers(registry, spec.target), secrets, await extensionOf(spec));
  return driver.up({ stack, program, refresh, mayBeNew, secrets: Object.values(secrets) }, runHooks);
}

async function extensionOf({ target: { program } }: PreviewSpec): Promise<Extension | undefined> {
  return program === undefined ? undefined : (await import("./extension.ts")).loadExtension(program);
}

function hooks(state: ChildState): RunHooks {
  return {
    recordEngine: async (engine) => {
      await ask(state, { kind: "recordEngine", engine });
    },
    priorEngines: () => ask(state, { kind: "priorEngines" }),
    onEvent: (event) => send({ type: "event", event }),
    interrupt: state.interrupt.signal,
  };
}

function ask(state: ChildState, question: Question): Promise<readonly EngineProcess[]> {
  state.lastAsk += 1;
  const id = state.lastAsk;
  return new Promise((resolve, reject) => {
    state.asks.set(id, { resolve, reject });
    send({ type: "ask", ask: id, question });
  });
}

function settle(state: ChildState, { ask: id, engines = [], error }: ToChild & { type: "answer" }): void {
  const waiting = state.asks.get(id);
  state.asks.delete(id);
  if (error) waiting?.reject(fromWire(error));
  else waiting?.resolve(engines);
}

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

main();
