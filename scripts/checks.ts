/** Lint, format and type check, each of which counts as one test. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import type { FileResult } from "./test-file.ts";

interface Check {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

const require = createRequire(import.meta.url);
const biome = join(dirname(require.resolve("@biomejs/biome/package.json")), "bin", "biome");
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");

export const checks: readonly Check[] = [
  { name: "lint", program: biome, args: ["check", "--formatter-enabled=false", "--error-on-warnings"] },
  { name: "format", program: biome, args: ["format"] },
  { name: "types", program: tsc, args: ["--project", ".", "--pretty", "false"] },
];

export async function runCheck(check: Check, root: string): Promise<FileResult> {
  const startedAt = performance.now();
  const output = await new Promise<string | undefined>((resolve) => {
    const options = { cwd: root, maxBuffer: 32 * 1024 * 1024, env: { ...process.env, NO_COLOR: "1" } };
    execFile(process.execPath, [check.program, ...check.args], options, (error, stdout, stderr) =>
      resolve(error ? `${stdout}${stderr}`.slice(0, 12_000) : undefined),
    );
  });
  const outcome = output === undefined ? "passed" : "failed";
  return {
    file: check.name,
    outcomes: [{ outcome, name: check.name, detail: output ?? "" }],
    durationMs: performance.now() - startedAt,
  };
}
