/** The `stackling` program. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { runCli } from "./cli/program.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const code = await runCli(process.argv.slice(2), {
  environment: process.env,
  directory: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  version,
});
// A pipe takes 64 KiB at once; what is still on its way would be lost.
await new Promise<void>((resolve) => {
  // Nobody reads on.
  process.stdout.once("error", () => resolve());
  process.stdout.write("", () => resolve());
});
process.exit(code);
