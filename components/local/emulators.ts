/** Emulators of services of others, as programs that a preview's own user can run. */
import { randomUUID } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists } from "./json-file.ts";
import { layout } from "./layout.ts";

/** Of the variable that names the folder; a command that mentions it gets it. */
export const EMULATORS = "STACKLING_EMULATORS";

/** Starts one of the package's emulators, whose state is in memory, at the port it is given. */
const MAIN = `import { createEmulator } from "./dist/api.js";

const { PORT, EMULATE_BASE_URL: baseUrl } = process.env;
const [, , service] = process.argv;
const emulator = await createEmulator({ service, port: Number(PORT), ...(baseUrl ? { baseUrl } : {}) });
console.log(\`emulating \${service} at \${emulator.url}\`);
process.once("SIGTERM", () => emulator.close().finally(() => process.exit(0)));
`;

/**
 * Folder with `main.mjs`, in the data folder and made once: the package itself may lie where only we may read. What
 * it runs needs nothing but Node.
 */
export async function emulatorFolder(dataDir: string): Promise<string> {
  const dist = dirname(fileURLToPath(import.meta.resolve("emulate")));
  const { version } = JSON.parse(await readFile(join(dist, "..", "package.json"), "utf8")) as { version: string };
  const folder = join(layout(dataDir).runtime, `emulate-${version}`);
  if (await exists(folder)) return folder;
  const temporary = `${folder}.${randomUUID()}`;
  await mkdir(temporary, { recursive: true, mode: 0o755 });
  await cp(dist, join(temporary, "dist"), { recursive: true, filter: (path) => !basename(path).endsWith(".map") });
  await writeFile(join(temporary, "main.mjs"), MAIN, { mode: 0o644 });
  await rename(temporary, folder).catch(async (error: unknown) => {
    // Another run was quicker.
    await rm(temporary, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  });
  return folder;
}
