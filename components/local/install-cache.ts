/**
 * Installed dependencies by what they were installed from: equal manifests, lock files and commands
 * give the same folder. An install runs as a user of its own in a folder that holds nothing but those
 * files, so that no preview can slip anything into what another one will use.
 */
import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { execa } from "execa";
import { TerminalError } from "../errors.ts";
import type { BuildStep } from "../ports.ts";
import { endUser } from "./end-user.ts";
import { withFileLock } from "./file-lock.ts";
import { markUsed } from "./json-file.ts";
import { inside, layout } from "./layout.ts";
import { unlessRegistryAway } from "./registry-outage.ts";
import { removeTree } from "./remove-tree.ts";
import { type CommandRequest, endCommandsOf, runCommand } from "./run-command.ts";
import { allocateUser, freeUser } from "./users.ts";

/** Files that package managers read; an install that needs more fails here and is run in the checkout. */
const MANIFESTS =
  /^(package\.json|package-lock\.json|npm-shrinkwrap\.json|\.npmrc|yarn\.lock|\.yarnrc(\.yml)?|pnpm-lock\.yaml|pnpm-workspace\.yaml|bun\.lockb?|requirements.*\.txt|constraints.*\.txt|Pipfile(\.lock)?|poetry\.lock|pyproject\.toml|uv\.lock|Gemfile(\.lock)?|go\.(mod|sum|work)|composer\.(json|lock)|Cargo\.(toml|lock)|mix\.(exs|lock)|\.tool-versions|\.node-version|\.nvmrc|\.python-version|\.ruby-version)$/;
const SKIPPED = new Set(["node_modules", ".git", "vendor", ".venv"]);
/** npm runs these at install, and they may read any file of the tree. */
const LIFECYCLE = ["preinstall", "install", "postinstall", "prepare", "prepublish"];
/** What installs leave at home without needing it again. Anything else there means the result is not all in the tree. */
const HOME_CACHES: readonly string[] = [
  ".npm",
  ".cache",
  ".yarn",
  ".node-gyp",
  ".config",
  ".bun",
  ".bundle/cache",
  ".local/share/pnpm/store",
  ".local/state/pnpm",
];
/** Raised with what `build` judges by, so that what was judged otherwise before is installed anew. */
const FORMAT = 3;
const INSTALL_WAIT_MS = 20 * 60_000;
const FAILURE_KEPT_MS = 86_400_000;

export interface InstallRequest {
  readonly dataDir: string;
  /** Absolute path of the tree. */
  readonly checkout: string;
  readonly steps: readonly BuildStep[];
  /** How a step is run, but for command, folder, user and environment's home. */
  readonly run: Omit<CommandRequest, "command" | "directory" | "owner">;
}

/** Folder of the installed dependencies of a checkout that is still ours; undefined when these steps cannot be cached and must run there. */
export async function installInCache(request: InstallRequest): Promise<string | undefined> {
  const { dataDir, checkout, steps } = request;
  const manifests = await listManifests(checkout);
  if (manifests.length === 0 || (await hasLifecycle(checkout, manifests))) return undefined;
  const digest = await digestOf(checkout, manifests, steps, request.run.environment.PATH ?? "");
  const folder = join(layout(dataDir).installCache, digest);
  await withFileLock(
    `${folder}.lock`,
    async () => {
      if (!(await verdictOf(folder))) await build(request, folder, digest, manifests);
      await markUsed(folder);
    },
    { waitMs: INSTALL_WAIT_MS },
  );
  return (await verdictOf(folder)) === "cached" ? join(folder, "tree") : undefined;
}

async function build(request: InstallRequest, folder: string, digest: string, manifests: readonly string[]) {
  const { dataDir, checkout, steps, run } = request;
  const [tree, home, tmp] = ["tree", "home", "tmp"].map((part) => join(folder, part)) as [string, string, string];
  await endCommandsOf(folder);
  await removeTree(folder);
  const installer = `install-${digest}`;
  const user = await allocateUser(dataDir, installer);
  try {
    for (const part of [tree, home, tmp]) await mkdir(part, { recursive: true, mode: 0o755 });
    for (const file of manifests) {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await copyFile(join(checkout, file), join(tree, file));
    }
    if (user !== undefined) await execa("chown", ["-R", "-h", `${user}:${user}`, "--", tree, home, tmp]);
    const environment = { ...run.environment, HOME: home, TMPDIR: tmp };
    for (const step of steps) {
      const directory = inside(tree, step.directory);
      await runCommand({
        ...run,
        ...(user !== undefined && { user, group: user }),
        environment,
        command: step.command,
        directory,
        owner: folder,
      });
    }
    if (user !== undefined) await endUser(user);
    const isMovable =
      !(await holdsMoreThanCaches(home)) && !(await holdsVirtualEnvironment(tree)) && !(await linksInto(home, tree));
    if (user !== undefined) await execa("chown", ["-R", "-h", "0:0", "--", tree]);
    await execa("chmod", ["-R", "a+rX,go-w", "--", tree]);
    await writeFile(join(folder, "verdict"), isMovable ? "cached" : "uncached");
    if (!isMovable) await removeTree(tree);
  } catch (error) {
    run.signal.throwIfAborted();
    const failure = unlessRegistryAway(error);
    // Run in the checkout it may succeed, and if not, its error there is the one to show.
    if (!(failure instanceof TerminalError)) throw failure;
    await writeFile(join(folder, "verdict"), "failed");
    await removeTree(tree);
  } finally {
    if (user !== undefined) await endUser(user);
    for (const part of [home, tmp]) await removeTree(part);
    await freeUser(dataDir, installer);
  }
}

async function holdsMoreThanCaches(home: string, folder = ""): Promise<boolean> {
  for (const entry of await readdir(join(home, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (HOME_CACHES.includes(path)) continue;
    const isAbove = entry.isDirectory() && HOME_CACHES.some((cache) => cache.startsWith(`${path}${sep}`));
    if (!isAbove || (await holdsMoreThanCaches(home, path))) return true;
  }
  return false;
}

/** pnpm can be told to link its store's packages in place of copying them. */
async function linksInto(home: string, tree: string): Promise<boolean> {
  const { stdout } = await execa("find", [tree, "-type", "l", "-print0"]);
  const within = `${await realpath(home)}${sep}`;
  for (const link of stdout.split("\0").filter(Boolean)) {
    const target = await realpath(link).catch(() => undefined);
    if (target?.startsWith(within)) return true;
  }
  return false;
}

/**
 * Of Python (PEP 405). Its scripts name the folder that it was made in: those of a copy would run the one here, and
 * install into it.
 */
async function holdsVirtualEnvironment(tree: string): Promise<boolean> {
  const { stdout } = await execa("find", [tree, "-name", "pyvenv.cfg", "-print", "-quit"]);
  return stdout !== "";
}

/** `cached`, `uncached` when the result is not all in the tree or only works there, or `failed`, which is forgotten after a day, for it may have been the network. */
async function verdictOf(folder: string): Promise<string | undefined> {
  const file = join(folder, "verdict");
  const verdict = await readFile(file, "utf8").catch(() => undefined);
  if (verdict !== "failed") return verdict;
  return Date.now() - (await stat(file)).mtimeMs < FAILURE_KEPT_MS ? verdict : undefined;
}

/** As the owner of `to`. Shares the blocks where the file system can (cp(1), --reflink); macOS has no such option and no need. */
export async function copyTree(from: string, to: string, user: number | undefined): Promise<void> {
  if (process.platform !== "linux") return cp(from, to, { recursive: true, verbatimSymlinks: true });
  await execa("cp", ["-a", "--reflink=auto", "--no-preserve=ownership", "--", `${from}/.`, to], {
    ...(user !== undefined && { uid: user, gid: user }),
  });
}

async function listManifests(root: string, folder = ""): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : listManifests(root, path);
      return entry.isFile() && MANIFESTS.test(basename(path)) ? [path] : [];
    }),
  );
  return nested.flat().sort();
}

async function hasLifecycle(root: string, manifests: readonly string[]): Promise<boolean> {
  for (const file of manifests.filter((path) => basename(path) === "package.json")) {
    try {
      const { scripts = {} } = JSON.parse(await readFile(join(root, file), "utf8"));
      if (LIFECYCLE.some((name) => name in scripts)) return true;
    } catch {
      return true;
    }
  }
  return false;
}

async function digestOf(root: string, manifests: readonly string[], steps: readonly BuildStep[], path: string) {
  const made = { format: FORMAT, steps, node: process.version, path, arch: process.arch };
  const hash = createHash("sha256").update(JSON.stringify(made));
  for (const file of manifests) {
    const content = await readFile(join(root, file));
    hash.update(JSON.stringify([file, content.length])).update(content);
  }
  return hash.digest("hex").slice(0, 40);
}
