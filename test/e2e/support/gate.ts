import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";

/** Holds an application's command in its middle until the test lets it go on. */
export interface Gate {
  /** Source of a Node program that waits at the gate. */
  readonly program: string;
  /** Resolves once a program waits. */
  reached(): Promise<void>;
  open(): Promise<void>;
  remove(): Promise<void>;
}

export async function createGate(): Promise<Gate> {
  const folder = await mkdtemp(join(tmpdir(), "stackling-gate-"));
  // Previews are users of their own.
  await chmod(folder, 0o777);
  const [waits, opened] = [join(folder, "waits"), join(folder, "open")];
  return {
    program: `
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
writeFileSync(${JSON.stringify(waits)}, "");
while (!existsSync(${JSON.stringify(opened)})) await setTimeout(20);
`,
    reached: async () => {
      await eventually(() => existsSync(waits), { timeoutMs: 60_000, what: "a program at the gate" });
    },
    open: () => writeFile(opened, ""),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
