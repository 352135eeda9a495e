/** Emulators of services of others, as programs that a preview's own user can run. */
import { createHash, randomUUID } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists } from "./json-file.ts";
import { layout } from "./layout.ts";

/** Of the variable that names the folder; a command that mentions it gets it. */
export const EMULATORS = "STACKLING_EMULATORS";
/** The same of the folder with the inboxes. */
export const INBOXES = "STACKLING_INBOXES";

/** Whether it plays a service of others, and is no part of the application. */
export function isEmulator({ command = "" }: { readonly command?: string }): boolean {
  return command.includes(EMULATORS) || command.includes(INBOXES);
}

/** Starts one of the package's emulators, whose state is in memory, at the port it is given. */
const MAIN = `import { readFile } from "node:fs/promises";
import { createEmulator } from "./dist/api.js";
import { parse } from "./yaml/index.js";

const { PORT, EMULATE_BASE_URL: baseUrl, EMULATE_SEED: inline, EMULATE_SEED_FILE: file } = process.env;
const [, , service] = process.argv;
const text = file ? await readFile(file, "utf8").catch(() => fail("there is no such file in the commit")) : inline;
const seed = text ? seedOf(text) : undefined;
const options = { service, port: Number(PORT), ...(baseUrl ? { baseUrl } : {}), ...(seed ? { seed } : {}) };
const emulator = await createEmulator(options).catch((error) => (seed ? fail(error.message) : Promise.reject(error)));
console.log(\`emulating \${service} at \${emulator.url}\`);
process.once("SIGTERM", () => emulator.close().finally(() => process.exit(0)));

/** As emulate's own files hold it, or what stands there under the service's name. */
function seedOf(text) {
  const found = read(text);
  if (typeof found !== "object" || found === null || Array.isArray(found)) fail("it must be a map");
  return service in found || "tokens" in found ? found : { [service]: found };
}

function read(text) {
  try {
    return parse(text);
  } catch (error) {
    fail(error.message);
  }
}

function fail(why) {
  console.error(\`seeding \${service} with \${file ? JSON.stringify(file) : "what preview.yaml says"}: \${why}\`);
  process.exit(1);
}
`;

/**
 * Folder with `main.mjs`, in the data folder and made once: the package itself may lie where only we may read. What
 * it runs needs nothing but Node.
 */
export async function emulatorFolder(dataDir: string): Promise<string> {
  const dist = dirname(fileURLToPath(import.meta.resolve("emulate")));
  const { version } = JSON.parse(await readFile(join(dist, "..", "package.json"), "utf8")) as { version: string };
  return madeOnce(dataDir, `emulate-${version}-${digestOf([MAIN])}`, async (folder) => {
    await cp(dist, join(folder, "dist"), { recursive: true, filter: (path) => !basename(path).endsWith(".map") });
    await cp(dirname(fileURLToPath(import.meta.resolve("yaml"))), join(folder, "yaml"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type":"module"}', { mode: 0o644 });
    await writeFile(join(folder, "yaml", "package.json"), '{"type":"commonjs"}', { mode: 0o644 });
    await writeFile(join(folder, "main.mjs"), MAIN, { mode: 0o644 });
  });
}

/** What inboxes are made of, and what that needs. */
const PACKAGES = [
  { name: "smtp-server" },
  { name: "nodemailer", of: "smtp-server" },
  { name: "punycode.js", of: "smtp-server" },
  { name: "postal-mime" },
] as const satisfies readonly { readonly name: string; readonly of?: "smtp-server" }[];

/** As `emulatorFolder`, of inbox/main.ts: catchers of mails, text messages and webhooks. */
export async function inboxFolder(dataDir: string): Promise<string> {
  const sources = fileURLToPath(new URL("./inbox/", import.meta.url));
  const files = (await readdir(sources, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const sockets = fileURLToPath(new URL("./sockets.ts", import.meta.url));
  const packages = packageFolders();
  const manifests = packages.map(({ folder }) => join(folder, "package.json"));
  const texts = await Promise.all([...files, sockets, ...manifests].map((file) => readFile(file, "utf8")));
  return madeOnce(dataDir, `inbox-${digestOf(texts)}`, async (folder) => {
    await cp(sources, join(folder, "inbox"), { recursive: true });
    await cp(sockets, join(folder, basename(sockets)));
    for (const { name, folder: from } of packages) {
      const filter = (path: string) => !path.endsWith(".map") && !path.endsWith(".d.ts");
      await cp(from, join(folder, "node_modules", name), { recursive: true, dereference: true, filter });
    }
    await writeFile(join(folder, "package.json"), '{"type":"module"}', { mode: 0o644 });
    const main = `import "./inbox/main${extname(fileURLToPath(import.meta.url))}";\n`;
    await writeFile(join(folder, "main.mjs"), main, { mode: 0o644 });
  });
}

/** Each from where it is needed: another of its name may lie above. */
function packageFolders(): readonly { readonly name: string; readonly folder: string }[] {
  const ours = createRequire(import.meta.url);
  const smtp = createRequire(ours.resolve("smtp-server"));
  return PACKAGES.map((one) => {
    const { name } = one;
    const main = ("of" in one ? smtp : ours).resolve(name);
    const end = join("node_modules", name);
    return { name, folder: main.slice(0, main.lastIndexOf(end) + end.length) };
  });
}

async function madeOnce(dataDir: string, name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(layout(dataDir).runtime, name);
  if (await exists(folder)) return folder;
  const temporary = `${folder}.${randomUUID()}`;
  try {
    await mkdir(temporary, { recursive: true, mode: 0o755 });
    await make(temporary);
    await rename(temporary, folder);
  } catch (error) {
    // No half of it stays, which would fill a disk that is full already.
    await rm(temporary, { recursive: true, force: true });
    // Another run may have been quicker.
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

function digestOf(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length}:${text}`);
  return hash.digest("hex").slice(0, 12);
}
