/** Runs one command of the application to its end: an install or build step, a migration, a seed. */
import { setTimeout as delay } from "node:timers/promises";
import { TerminalError } from "../errors.ts";
import { OWNER_MARK } from "./environment.ts";
import { excerptOf, openLog, sizeOf } from "./log-file.ts";
import { followOutput } from "./output.ts";
import { boundedCommand } from "./process-bound.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { endTrees, findByUser, findMarked, startProcess } from "./processes.ts";
import { countCommand } from "./usage.ts";

export interface CommandRequest {
  readonly command: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: number;
  /** See `StartRequest`; whatever of the user is left in it is ended with the command. */
  readonly group?: number;
  readonly logFile: string;
  /** Absolute path on whose behalf it runs; whatever bears it as its mark is ended with the command. */
  readonly owner: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Of the error: `BuildFailed`, … */
  readonly reason: string;
  /** `building`, `running migration`, … */
  readonly action: string;
  /** Values that must not show in the excerpt. */
  readonly secrets: readonly string[];
  /** Whose account it is on. */
  readonly account: CommandAccount;
  /** Gets what it prints while it runs, redacted. */
  readonly onLines?: ((lines: readonly string[]) => void) | undefined;
}

/** What it takes is counted as the preview's, under this name. */
export interface CommandAccount {
  readonly dataDir: string;
  readonly stack: string;
  /** `build`, `migrate`, … */
  readonly resource: string;
}

/** Threads count too; far above what a build needs, far below what a fork bomb takes. */
const PROCESSES_MAX = 1024;

/** Throws `TerminalError` with the last lines when the command fails or takes too long; nothing of it is left running. */
export async function runCommand(request: CommandRequest): Promise<void> {
  const { command, logFile, user, group, owner, timeoutMs, signal } = request;
  const builders = user === undefined || group === undefined ? undefined : { user, group };
  signal.throwIfAborted();
  await endCommandsOf(owner, [], builders);
  const log = await openLog(logFile, user);
  const { secrets, onLines } = request;
  const begin = await sizeOf(logFile);
  const output = onLines && followOutput({ path: logFile, from: begin, secrets, onLines });
  try {
    await log.appendFile(`$ ${command}\n`);
    const from = await sizeOf(logFile);
    const environment = { ...request.environment, [OWNER_MARK]: owner };
    const bounded = boundedCommand(command, { user, most: PROCESSES_MAX });
    const started = await startProcess({ ...request, command: bounded, environment, log: log.fd });
    const counted = await countCommand(request.account, started.identity.pid);
    const timer = new AbortController();
    try {
      started.open();
      const late = delay(timeoutMs, "late" as const, { signal: AbortSignal.any([signal, timer.signal]), ref: true });
      const ended = await Promise.race([started.exited, late]);
      signal.throwIfAborted();
      if (ended !== 0) throw await failed(request, ended, from);
    } finally {
      timer.abort();
      await endCommandsOf(owner, [started.identity], builders);
      await counted();
    }
  } finally {
    await output?.stop();
    await log.close();
  }
}

/**
 * Also what a run left behind that was killed: its commands lead groups of their own, and nobody waits for them any
 * more. `builders`: those that shed their mark too, for they have a way to the network that nothing else has.
 */
export async function endCommandsOf(
  owner: string,
  leaders: readonly ProcessIdentity[] = [],
  builders?: { readonly user: number; readonly group: number },
): Promise<void> {
  const others = async () => {
    const marked = (await findMarked(OWNER_MARK, (mark) => mark === owner)).map(({ pid }) => pid);
    return builders ? [...new Set([...marked, ...(await findByUser(builders.user, builders.group))])] : marked;
  };
  await endTrees(leaders, { drainMs: 500, others });
}

async function failed(request: CommandRequest, ended: number | "late", from: number): Promise<TerminalError> {
  const { action, command, reason, logFile, secrets, timeoutMs } = request;
  const how = ended === "late" ? `it did not end within ${timeoutMs / 1000} s` : `it exited with code ${ended}`;
  return new TerminalError({
    reason,
    userMessage: `${action} ${JSON.stringify(command)}: ${how}`,
    excerpt: await excerptOf(logFile, from, secrets),
  });
}
