/** Second half of `run.mjs`, on a Node that strips types: the engine, then the command itself. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { StacklingError } from "../components/errors.ts";
import { ensureEngine } from "../infra/engine-install.ts";
import { withProgress } from "../infra/progress.mjs";

const [command = "", ...args] = process.argv.slice(2);

switch (command) {
  case "start":
    await needEngine();
    await run("../service/main.ts", ["serve", ...args]);
    break;
  case "bench":
    await needEngine();
    await run("../bench/main.ts", args);
    break;
  case "chaos":
    await wishEngine();
    await run("../chaos/main.ts", args);
    break;
  case "test":
    await wishEngine();
    await run("./test.ts", args);
    break;
  case "test:kubernetes":
    await wishEngine();
    await run("./test.ts", args.length > 0 ? args : ["test/kubernetes"]);
    break;
  case "test:gitea":
    await wishEngine();
    await run("./test.ts", args.length > 0 ? args : ["test/gitea"]);
    break;
  case "check":
    await run("./check.ts", args);
    break;
  case "docs":
    await run("./manual.ts", args);
    break;
  case "screenshots":
    await run("./screenshots.ts", args);
    break;
  default:
    console.error(
      `"${command}" is none of start, test, test:kubernetes, test:gitea, bench, chaos, check, docs, screenshots`,
    );
    process.exit(2);
}

/** In this very process: signals and the exit code need no passing on. */
async function run(program: string, programArgs: readonly string[]): Promise<void> {
  const file = new URL(program, import.meta.url);
  process.argv = [process.execPath, fileURLToPath(file), ...programArgs];
  await import(file.href);
}

async function needEngine(): Promise<void> {
  try {
    await ensureEngine({ withProgress, onWait });
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    console.error(error.userMessage);
    process.exit(1);
  }
}

/** Tests that need the engine are skipped, and counted, where it cannot be had; simulated time needs none. */
async function wishEngine(): Promise<void> {
  try {
    await ensureEngine({ withProgress, onWait });
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    console.error(error.userMessage);
  }
}

function onWait(): void {
  console.error("waiting for another process that gets the Pulumi engine …");
}
