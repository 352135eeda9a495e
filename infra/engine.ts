/** Finds the Pulumi engine. Getting one is `engine-install.ts`'s. */
import { execFile } from "node:child_process";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { access, constants, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { StacklingError, TerminalError } from "../components/errors.ts";
import { cacheDir } from "./install-once.mjs";

export interface Engine {
  /** Absolute path of the `pulumi` program. */
  readonly command: string;
  /** Without the leading `v`, for example `3.259.0`. */
  readonly version: string;
  /**
   * Whether `pulumi-language-nodejs` lies beside it or on PATH, as in official installs. Where it does
   * not, `stackling pulumi` lends its own (language-host.ts); inline programs need none.
   */
  readonly languageHost: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const languageHostName = "pulumi-language-nodejs";
const runFile = promisify(execFile);

/**
 * The engine to use, without installing anything: `STACKLING_ENGINE`, a fitting `pulumi` on PATH, the
 * one in the user's cache. Costs no process once an engine's version is known.
 *
 * @throws TerminalError `EngineMissing` when there is none; `EngineUnfit` when the one named by hand
 * cannot be run or is of another version than the SDK can talk to.
 */
export async function locateEngine(env: Environment = process.env): Promise<Engine> {
  const engine = (await namedByHand(env)) ?? (await onPath(env)) ?? (await cached(env));
  if (engine) return engine;
  throw new TerminalError({ reason: "EngineMissing", userMessage: `there is no Pulumi engine: ${waysToGetOne()}` });
}

/** Costs no process while the file is the same. Throws `StacklingError` `EngineMissing` when the engine went away or was replaced by another version. */
export async function requireEngine(
  { command }: Pick<Engine, "command">,
  env: Environment = process.env,
): Promise<void> {
  const version = (await isExecutable(command)) ? await versionOf(command, env) : undefined;
  if (version !== undefined && isFit(version)) return;
  const fault = version === undefined ? "cannot be run" : `has version "${version}", wanted is ${sdkVersion()}`;
  throw new StacklingError({ reason: "EngineMissing", userMessage: `using the engine "${command}": it ${fault}` });
}

/** Version of the SDK that is installed, which the engine must match. */
export function sdkVersion(): string {
  const file = createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json");
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/** Folder of the cached engine; the program is at `bin/pulumi` in it, as in official installs. */
export function engineCacheRoot(env: Environment = process.env): string {
  return join(cacheDir(env), "engine", sdkVersion());
}

/** Same major and minor version, and a patch at least as new. */
export function isFit(version: string, wanted: string = sdkVersion()): boolean {
  const [major, minor, patch = 0] = numbers(version);
  const [wantedMajor, wantedMinor, wantedPatch = 0] = numbers(wanted);
  return major === wantedMajor && minor === wantedMinor && patch >= wantedPatch;
}

/** One sentence that names every way to an engine; part of error messages. */
export function waysToGetOne(): string {
  const version = sdkVersion();
  const series = version.split(".").slice(0, 2).join(".");
  return (
    `name one with STACKLING_ENGINE=/path/to/pulumi, put "pulumi" ${series}.x (${version} or newer) on PATH, ` +
    "run where the official download can be reached, or install Go 1.26 so that it can be built"
  );
}

async function namedByHand(env: Environment): Promise<Engine | undefined> {
  const command = env.STACKLING_ENGINE;
  if (!command) return undefined;
  const version = await versionOf(command, env);
  if (version !== undefined && isFit(version)) return engineAt(command, version, env);
  const fault = version === undefined ? "cannot be run" : `has version "${version}"`;
  throw new TerminalError({
    reason: "EngineUnfit",
    userMessage: `using the engine that STACKLING_ENGINE names: "${command}" ${fault}, wanted is ${sdkVersion()}`,
  });
}

async function onPath(env: Environment): Promise<Engine | undefined> {
  for (const folder of pathFolders(env)) {
    const command = join(folder, "pulumi");
    if (!(await isExecutable(command))) continue;
    const version = await versionOf(command, env);
    if (version !== undefined && isFit(version)) return engineAt(command, version, env);
  }
  return undefined;
}

/** Whatever is in the cache was checked before it was put there. */
async function cached(env: Environment): Promise<Engine | undefined> {
  const command = join(engineCacheRoot(env), "bin", "pulumi");
  return (await isExecutable(command)) ? engineAt(command, sdkVersion(), env) : undefined;
}

async function engineAt(command: string, version: string, env: Environment): Promise<Engine> {
  const folders = [dirname(command), dirname(realpathSync(command)), ...pathFolders(env)];
  const found = await Promise.all(folders.map((folder) => isExecutable(join(folder, languageHostName))));
  return { command, version, languageHost: found.includes(true) };
}

/** Asking the engine costs 0.2 s, so the answer is kept for as long as the file stays the same. */
async function versionOf(command: string, env: Environment): Promise<string | undefined> {
  const identity = identityOf(command);
  if (identity === undefined) return undefined;
  const notes = join(cacheDir(env), "engine-versions.json");
  const known = await readNotes(notes);
  if (known[identity] !== undefined) return known[identity];
  const version = await askVersion(command);
  if (version !== undefined) await writeNotes(notes, { ...known, [identity]: version });
  return version;
}

/**
 * What `pulumi version` says, without the leading `v`; undefined when it cannot be run or says
 * something else.
 */
export async function askVersion(command: string): Promise<string | undefined> {
  try {
    const { stdout } = await runFile(command, ["version"], {
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeout: 30_000,
    });
    return /^v?(\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function identityOf(command: string): string | undefined {
  try {
    const path = realpathSync(command);
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  } catch {
    return undefined;
  }
}

async function readNotes(file: string): Promise<Readonly<Record<string, string>>> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return {};
  }
}

/** Only saves time next time, so a cache that cannot be written is no failure. */
async function writeNotes(file: string, notes: Readonly<Record<string, string>>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.${process.pid}`, JSON.stringify(notes));
    await rename(`${file}.${process.pid}`, file);
  } catch {}
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function pathFolders(env: Environment): readonly string[] {
  return (env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
}

function numbers(version: string): readonly number[] {
  return version.split(/[.+-]/).slice(0, 3).map(Number);
}
