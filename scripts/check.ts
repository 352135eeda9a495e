/** `npm run check`: lint, format and types without the tests. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { checks, runCheck } from "./checks.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const check of checks) {
  const { outcomes } = await runCheck(check, root);
  for (const { outcome, name, detail } of outcomes) {
    console.log(`${outcome === "passed" ? "ok" : "FAILED"} ${name}${detail ? `\n${detail}` : ""}`);
    if (outcome === "failed") process.exitCode = 1;
  }
}
