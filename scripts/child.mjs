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
 * Runs a set-up command quietly; when it fails, the error shows how its output begins and ends.
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
    if (output.length < 1_000_000) output += chunk.toString();
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  /** @type {number | string | null} */
  const outcome = await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  if (outcome === 0) return;
  const lines = output.split("\n").filter((line) => line.trim() !== "" && line.trim() !== "npm error");
  const shown = lines.length > 24 ? [...lines.slice(0, 12), "…", ...lines.slice(-12)] : lines;
  throw new Error(`running "${[command, ...args].join(" ")}" failed (${outcome})\n${shown.join("\n")}`.trimEnd());
}

/** What the user's npm may have on that set-up can do without. */
const quietFlags = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--engine-strict=false"];

/**
 * Runs the npm that started us, so that a wrong one on PATH does not get in between; from elsewhere,
 * the one on PATH.
 *
 * @param {readonly string[]} args
 * @param {string} folder
 */
export function runNpm(args, folder) {
  const cli = process.env.npm_execpath;
  const isNpm = cli !== undefined && /npm-cli\.c?js$/.test(cli);
  const [command, first] = isNpm ? [process.execPath, [cli]] : ["npm", []];
  return runQuietly(command, [...first, ...args, ...quietFlags], { cwd: folder });
}
