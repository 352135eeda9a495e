/** Runs one test file in a process of its own and says what came of it. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./test-reporter.ts";

export interface FileResult {
  readonly file: string;
  readonly outcomes: readonly Outcome[];
  readonly durationMs: number;
}

export interface TestFileRequest {
  /** Path relative to `root`. */
  readonly file: string;
  readonly root: string;
  /** Folder for the report; the caller removes it. */
  readonly scratch: string;
  /** After this the file's processes are killed and it counts as failed. */
  readonly timeoutMs: number;
  /** How long what the file ended may take to be gone. */
  readonly graceMs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const reporter = fileURLToPath(new URL("./test-reporter.ts", import.meta.url));
/** Name of the variable by which processes that a test left behind are recognised. */
const marker = "STACKLING_TEST_FILE";

/**
 * Resolves when the file's process has ended and nothing is left of it. A file that hangs, that says
 * nothing, or that leaves processes behind counts as one failed test beside its others.
 */
export async function runTestFile(request: TestFileRequest): Promise<FileResult> {
  const startedAt = performance.now();
  const id = randomUUID();
  const report = join(request.scratch, id);
  const ending = await runProcess(request, { id, report });
  const outcomes = await readOutcomes(report);
  const left = await endLeftovers(id, request.graceMs);
  const fault = faultOf(ending, outcomes) ?? leftFault(left);
  if (fault !== undefined) outcomes.push({ outcome: "failed", name: "(the file as a whole)", detail: fault });
  return { file: request.file, outcomes, durationMs: performance.now() - startedAt };
}

interface Ending {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly output: string;
}

async function runProcess(request: TestFileRequest, { id, report }: { id: string; report: string }): Promise<Ending> {
  const args = [`--test-reporter=${reporter}`, `--test-reporter-destination=${report}`, request.file];
  const child = spawn(process.execPath, args, {
    cwd: request.root,
    // Inside another test run, node:test would report to that one's process instead.
    env: { ...request.env, [marker]: id, NODE_TEST_CONTEXT: undefined },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-6_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, request.timeoutMs);
  const abort = (): void => killGroup(child.pid);
  request.signal.addEventListener("abort", abort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    return { code, timedOut, output };
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", abort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

async function readOutcomes(report: string): Promise<Outcome[]> {
  const text = await readFile(report, "utf8").catch(() => "");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Outcome => JSON.parse(line));
}

function faultOf({ code, timedOut, output }: Ending, outcomes: readonly Outcome[]): string | undefined {
  if (timedOut) return `did not end in time and was killed\n${output}`;
  if (code !== 0 && !outcomes.some((one) => one.outcome === "failed")) return `ended with code ${code}\n${output}`;
  if (outcomes.length === 0) return "has no test";
  return undefined;
}

function leftFault(left: readonly string[]): string | undefined {
  return left.length === 0 ? undefined : `left processes behind, now killed:\n${left.join("\n")}`;
}

/** Kills, by pid, what still bears the file's marker after the time of grace; returns what that was. */
async function endLeftovers(id: string, graceMs: number): Promise<readonly string[]> {
  const deadline = performance.now() + graceMs;
  let left = await bearing(id);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(100);
    left = await bearing(id);
  }
  for (const { pid } of left) killOne(pid);
  return left.map(({ pid, command }) => `${pid} ${command}`);
}

async function bearing(id: string): Promise<readonly { pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (!environment.includes(`${marker}=${id}`)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    found.push({ pid: Number(name), command: command.replaceAll("\0", " ").slice(0, 200) });
  }
  return found;
}

function killGroup(pid: number | undefined): void {
  if (pid !== undefined) killOne(-pid);
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
