/**
 * One run of the engine's executable, under our eyes: it starts behind a gate that opens only after
 * its pid is recorded, is interrupted once when a limit or a wish says so, and is killed in the end.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { hostname } from "node:os";
import type { Readable, Writable } from "node:stream";
import { StacklingError } from "../components/errors.ts";
import { startTimeOf } from "../components/local/process-identity.ts";
import type { EngineProcess } from "./stacks.ts";

/** Within these an engine is left to finish: one that is cut off leaves a lock, and maybe things that no state knows. */
export interface EngineLimits {
  /** From start to SIGINT: 15 minutes in production. */
  readonly runMs: number;
  /** Without an event before SIGINT: 5 minutes. */
  readonly silenceMs: number;
  /** From SIGINT to SIGKILL: 60 seconds. */
  readonly killMs: number;
}

export const ENGINE_LIMITS: EngineLimits = { runMs: 15 * 60_000, silenceMs: 5 * 60_000, killMs: 60_000 };

export interface EngineCommand {
  readonly engine: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: EngineLimits;
  readonly interrupt: AbortSignal;
  /** The engine does nothing before this is resolved; it ends unused when this is rejected. */
  readonly record: (engine: EngineProcess) => Promise<void>;
}

export interface EngineExit {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when it ended by itself. */
  readonly interrupted: Interruption | undefined;
}

export interface Interruption {
  /** A limit of time was passed, or somebody wished it: a close, a lost lease. */
  readonly by: "limit" | "wish";
  /** In words: `it took longer than 900 s`. */
  readonly why: string;
}

/** `touch` is called on every event and puts the limit of silence off. */
export interface RunningEngine {
  readonly exit: Promise<EngineExit>;
  touch(): void;
}

/** Starts the engine. `exit` is rejected only when it could not be started or recorded. */
export function startEngine(command: EngineCommand): RunningEngine {
  // The shell waits for a line, then becomes the engine: pid and start time stay the same, and when
  // we die before the line was written it reads the end of the file and goes.
  const child = spawn(
    "/bin/sh",
    ["-c", 'IFS= read -r go || exit 1; exec "$@" </dev/null', "sh", command.engine, ...command.args],
    {
      cwd: command.cwd,
      env: command.environment,
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  const guard = guardEngine(child, command);
  return { exit: watch(child, command, guard), touch: guard.touch };
}

type Engine = ChildProcessByStdio<Writable, Readable, Readable>;

interface Guard {
  touch(): void;
  stop(): void;
  interruption(): Interruption | undefined;
}

async function watch(child: Engine, command: EngineCommand, guard: Guard): Promise<EngineExit> {
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A write to an engine that is gone already is told by its exit, not by the pipe.
  child.stdin.on("error", () => {});
  const closed = new Promise<number | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? undefined));
  });
  try {
    await Promise.race([openGate(child, command), closed]);
    const code = await closed;
    return { code, stdout: stdout(), stderr: stderr(), interrupted: guard.interruption() };
  } finally {
    guard.stop();
    child.stdin.destroy();
  }
}

async function openGate(child: Engine, { record, engine }: EngineCommand): Promise<void> {
  const startTime = child.pid === undefined ? undefined : startTimeOf(child.pid);
  if (child.pid === undefined || startTime === undefined) {
    throw new StacklingError({ reason: "EngineFailed", userMessage: `starting the engine: "${engine}" did not start` });
  }
  await record({ host: hostname(), pid: child.pid, startTime });
  child.stdin.end("go\n");
}

/** One SIGINT, whatever asked for it first; a second would make the engine drop what is under way. */
function guardEngine(child: Engine, { limits, interrupt }: EngineCommand): Guard {
  let interruption: Interruption | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const interruptOnce = (by: Interruption["by"], why: string) => {
    if (interruption) return;
    interruption = { by, why };
    child.kill("SIGINT");
    killTimer = setTimeout(() => child.kill("SIGKILL"), limits.killMs);
  };
  const onInterrupt = () => interruptOnce("wish", "it was asked to stop");
  const passed = (what: string) => () => interruptOnce("limit", what);
  const runTimer = setTimeout(passed(`it took longer than ${seconds(limits.runMs)}`), limits.runMs);
  const silenceTimer = setTimeout(passed(`it reported nothing for ${seconds(limits.silenceMs)}`), limits.silenceMs);
  if (interrupt.aborted) onInterrupt();
  else interrupt.addEventListener("abort", onInterrupt, { once: true });
  return {
    touch: () => silenceTimer.refresh(),
    stop: () => {
      for (const timer of [runTimer, silenceTimer, killTimer]) clearTimeout(timer);
      interrupt.removeEventListener("abort", onInterrupt);
    },
    interruption: () => interruption,
  };
}

/** The last part of a stream, so that a chatty engine does not fill the memory. */
function collect(stream: Readable, maxCharacters = 1_000_000): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-maxCharacters);
  });
  return () => text;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
