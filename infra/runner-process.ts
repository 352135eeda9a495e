/** One warm child with its watchdog: started, given one run at a time, watched, and ended as a whole group. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StacklingError } from "../components/errors.ts";
import { interruptedError } from "./engine-errors.ts";
import {
  type ChildSettings,
  type FromChild,
  fromWire,
  type ToChild,
  toWire,
  type Work,
  type WorkResults,
} from "./runner-messages.ts";
import type { RunRequest } from "./stacks.ts";

export interface RunnerProcessOptions {
  readonly settings: ChildSettings;
  /** The child's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Without a renewal of the lease during a run, and without a heartbeat, the group is killed. */
  readonly watchdogMs: number;
  /** Gets what the child and its watchdog write to stderr. */
  readonly onStderr: (text: string) => void;
}

export interface RunnerProcess {
  readonly pid: number;
  /** True when it should not get another run. */
  spent(): boolean;
  run<K extends Work["kind"]>(
    stack: string,
    work: Extract<Work, { kind: K }>,
    request: RunRequest,
  ): Promise<WorkResults[K]>;
  /** Sends the run under way its one SIGINT. */
  interrupt(): void;
  /** Resolves when the child is gone, for whatever reason. */
  readonly gone: Promise<void>;
  /** Kills the whole group and the watchdog. */
  end(): Promise<void>;
}

/** Resolves when the child is warm. */
export async function startRunnerProcess(options: RunnerProcessOptions): Promise<RunnerProcess> {
  const child = fork(fileURLToPath(new URL("./runner-child.ts", import.meta.url)), {
    detached: true,
    execArgv: [],
    serialization: "advanced",
    env: options.environment,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.stderr?.setEncoding("utf8").on("data", options.onStderr);
  // One that cannot be made has no pid; without a listener its error would end the service.
  child.on("error", () => {});
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const { pid } = child;
  if (pid === undefined) {
    throw new StacklingError({ reason: "EngineFailed", userMessage: "starting a runner: no process was made" });
  }
  const state: State = {
    child,
    gone,
    watchdog: keepWatchdog(pid, options),
    lastBeatMs: performance.now(),
    spent: false,
  };
  // Before anybody else hears of it: its channel may still look open then.
  void gone.then(() => {
    state.spent = true;
    endGroup(pid);
  });
  try {
    await ready(state, options.settings);
  } catch (error) {
    await end(state, pid);
    throw error;
  }
  return {
    pid,
    gone,
    spent: () => state.spent || !child.connected,
    run: (stack, work, request) => run(state, options, { stack, work, request }),
    interrupt: () => tell(child, { type: "interrupt" }),
    end: () => end(state, pid),
  };
}

interface State {
  readonly child: ChildProcess;
  readonly gone: Promise<void>;
  readonly watchdog: Watchdog;
  lastBeatMs: number;
  spent: boolean;
}

async function ready({ child, gone }: State, settings: ChildSettings): Promise<void> {
  const isReady = new Promise<void>((resolve) => {
    child.on("message", (message: FromChild) => message.type === "ready" && resolve());
  });
  tell(child, { type: "configure", settings });
  const died = gone.then(() => {
    throw new StacklingError({ reason: "EngineFailed", userMessage: "starting a runner: it ended at once" });
  });
  await Promise.race([isReady, died]);
}

interface Assignment<K extends Work["kind"]> {
  readonly stack: string;
  readonly work: Extract<Work, { kind: K }>;
  readonly request: RunRequest;
}

async function run<K extends Work["kind"]>(
  state: State,
  { watchdogMs }: RunnerProcessOptions,
  { stack, work, request }: Assignment<K>,
): Promise<WorkResults[K]> {
  const { child, watchdog } = state;
  const { lease, interrupt } = request;
  const onInterrupt = () => tell(child, { type: "interrupt" });
  const signals = [lease.lost, ...(interrupt ? [interrupt] : [])];
  if (signals.some(({ aborted }) => aborted)) {
    throw interruptedError(`running the engine on stack "${stack}": it was called off before it began`);
  }
  state.lastBeatMs = performance.now();
  watchdog.say("begin");
  const forget = lease.onRenewed(() => {
    // A child that does not beat is frozen: its lease is not worth the watchdog's patience.
    if (performance.now() - state.lastBeatMs < watchdogMs / 2) watchdog.say("renewed");
  });
  try {
    return await new Promise<WorkResults[K]>((resolve, reject) => {
      const onMessage = (message: FromChild) => {
        state.lastBeatMs = performance.now();
        if (message.type === "event") request.onEvent?.(message.event);
        else if (message.type === "output") request.onOutput?.(message.output);
        else if (message.type === "ask") void answer(message, request).then((reply) => tell(child, reply));
        else if (message.type === "done") settle(() => resolve(message.result as WorkResults[K]));
        else if (message.type === "failed") {
          state.spent ||= message.spent;
          settle(() => reject(fromWire(message.error)));
        }
      };
      const settle = (then: () => void) => {
        child.off("message", onMessage);
        then();
      };
      child.on("message", onMessage);
      void state.gone.then(() =>
        settle(() =>
          reject(interruptedError(`running the engine on stack "${stack}": its process ended in the middle`)),
        ),
      );
      tell(child, { type: "run", stack, fence: lease.fence, work });
      for (const signal of signals) signal.addEventListener("abort", onInterrupt, { once: true });
    });
  } finally {
    watchdog.say("end");
    forget();
    for (const signal of signals) signal.removeEventListener("abort", onInterrupt);
  }
}

/** A child that is gone is told by its exit, not by the channel. */
function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => {});
}

async function answer({ ask, question }: FromChild & { type: "ask" }, { lease }: RunRequest): Promise<ToChild> {
  try {
    if (question.kind === "priorEngines") return { type: "answer", ask, engines: await lease.priorEngines() };
    await lease.recordEngine(question.engine);
    return { type: "answer", ask };
  } catch (error) {
    return { type: "answer", ask, error: toWire(error) };
  }
}

interface Watchdog {
  say(line: "begin" | "renewed" | "end"): void;
  end(): void;
}

/** A watchdog that is there as long as the child: one that dies is replaced, and told of a run under way. */
function keepWatchdog(pid: number, { watchdogMs, environment, onStderr }: RunnerProcessOptions): Watchdog {
  const script = fileURLToPath(new URL("./watchdog.ts", import.meta.url));
  let ended = false;
  let running = false;
  const start = () => {
    const dog = spawn(process.execPath, [script, String(pid), String(watchdogMs)], {
      detached: true,
      env: environment,
      stdio: ["pipe", "ignore", "pipe"],
    });
    dog.stderr.setEncoding("utf8").on("data", onStderr);
    dog.stdin.on("error", () => {});
    // No run without a watchdog.
    dog.once("error", () => endGroup(pid));
    dog.once("exit", () => {
      if (!ended) current = start();
    });
    if (running) dog.stdin.write("begin\n");
    return dog;
  };
  let current = start();
  return {
    say: (line) => {
      if (line !== "renewed") running = line === "begin";
      current.stdin.write(`${line}\n`);
    },
    end: () => {
      ended = true;
      current.kill("SIGKILL");
    },
  };
}

async function end({ watchdog, gone }: State, pid: number): Promise<void> {
  watchdog.end();
  endGroup(pid);
  await gone;
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}
