/** AWS' APIs on loopback, by moto's server: for what is asked outside Pulumi. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rename, rm, rmdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { eventually } from "./eventually.ts";
import { type Kind, requires } from "./requires.ts";

const VERSION = "5.2.5";
/** Services of ECS have their task: moto's docs, "Configuration". */
const SETTINGS = { MOTO_ECS_SERVICE_RUNNING: "1" };
/** Dozens of packages come with it. */
const INSTALL_MS = 10 * 60_000;

export interface Moto {
  /** `http://127.0.0.1:PORT`; answers for every service of AWS. */
  readonly url: string;
  /** Forgets all that was made. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Options of a test or suite that needs moto: skipped, with the reason, where there is no Python, or moto
 * can be had from nowhere. The first test on a machine installs it into a cache of the user's.
 */
export async function requiresMoto(...kinds: readonly Kind[]): Promise<{ skip: false | string }> {
  const given = requires("python", ...kinds);
  if (given.skip) return given;
  try {
    await install();
    return given;
  } catch (error) {
    if ((process.env.STACKLING_REQUIRE ?? "").split(",").includes("python")) throw error;
    return {
      skip: `requires python: moto cannot be installed: ${error instanceof Error ? error.message.split("\n")[0] : error}`,
    };
  }
}

/** Starts a server of the test's own. */
export async function startMoto(): Promise<Moto> {
  const python = await install();
  const server = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: homedir(), PYTHONUNBUFFERED: "1", ...SETTINGS },
  });
  try {
    const url = await listening(server);
    return {
      url,
      reset: async () => void (await fetch(`${url}/moto-api/reset`, { method: "POST" })),
      stop: () => end(server),
    };
  } catch (error) {
    await end(server);
    throw error;
  }
}

/** Python of an environment with moto in it. Made beside its place and moved there whole; one test at a time. */
async function install(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "stackling", "python");
  const environment = join(cache, `moto-${VERSION}`);
  const python = join(environment, "bin", "python3");
  if (await exists(python)) return python;
  await mkdir(cache, { recursive: true });
  const unlock = await lock(`${environment}.lock`);
  try {
    if (await exists(python)) return python;
    const fresh = await mkdtemp(join(cache, ".installing-"));
    try {
      await execa("python3", ["-m", "venv", fresh]);
      await execa(join(fresh, "bin", "python3"), ["-m", "pip", "install", "--quiet", `moto[server]==${VERSION}`]);
      await rename(fresh, environment);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      throw error;
    }
    return python;
  } finally {
    await unlock();
  }
}

/** Whoever makes the folder works; one whose maker died is taken over. */
async function lock(folder: string): Promise<() => Promise<void>> {
  await eventually(
    async () => {
      const made = await mkdir(folder).then(
        () => true,
        () => false,
      );
      if (!made && Date.now() - (await stat(folder)).mtimeMs > INSTALL_MS) await rmdir(folder);
      return made;
    },
    { timeoutMs: 2 * INSTALL_MS, intervalMs: 500, what: "another test to install moto" },
  );
  return () => rmdir(folder);
}

async function listening(server: ChildProcess): Promise<string> {
  const { stderr, stdout } = server;
  if (!stderr || !stdout) throw new Error("starting moto: it has no output");
  stdout.resume();
  const said: string[] = [];
  const lines = createInterface({ input: stderr });
  try {
    for await (const line of lines) {
      said.push(line);
      const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (url) return url;
    }
  } finally {
    lines.close();
    stderr.resume();
  }
  throw new Error(`starting moto: ${said.slice(-5).join("\n")}`);
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGKILL");
  await ended;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
