import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";

/** @type {readonly NodeJS.Signals[]} */
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"];

/**
 * Runs a program in this process's place: same terminal, signals passed on, and ends this process the
 * way the program ended (exit code, or 128 + signal).
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<never>}
 */
export async function become(command, args) {
  const child = spawn(command, args, { stdio: "inherit" });
  for (const signal of forwarded) {
    process.on(signal, () => {
      // The terminal has already sent Ctrl-C to the whole foreground group.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve(exitCode ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
  process.exit(code);
}

/**
 * Runs a set-up command quietly and fails with its last lines.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<void>}
 */
export async function runQuietly(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk.toString()).slice(-8_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  /** @type {number | string | null} */
  const outcome = await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  if (outcome === 0) return;
  const lines = output.trim().split("\n").slice(-20).join("\n");
  throw new Error(`running "${command} ${args.join(" ")}" failed (${outcome})${lines ? `:\n${lines}` : ""}`);
}

/**
 * How to start npm: the one that started us, so that a wrong npm on PATH does not get in between.
 *
 * @returns {{command: string, args: readonly string[]}}
 */
export function npm(env = process.env) {
  const cli = env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli)) return { command: process.execPath, args: [cli] };
  return { command: "npm", args: [] };
}
