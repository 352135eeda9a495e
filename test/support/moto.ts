/** AWS' APIs on loopback, by moto's server: for what is asked outside Pulumi. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";

const VERSION = "5.2.5";

export interface Moto {
  /** `http://127.0.0.1:PORT`; answers for every service of AWS. */
  readonly url: string;
  /** Forgets all that was made. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server of the test's own; the first start on a machine installs moto into a cache of the user's. Use with `requires("python")`. */
export async function startMoto(): Promise<Moto> {
  const python = await install();
  const server = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: homedir(), PYTHONUNBUFFERED: "1" },
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

/** Python of an environment with moto in it. Made beside its place and moved there whole, so that two tests may start at once. */
async function install(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "stackling", "python");
  const environment = join(cache, `moto-${VERSION}`);
  const python = join(environment, "bin", "python3");
  if (await exists(python)) return python;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, ".installing-"));
  try {
    await execa("python3", ["-m", "venv", fresh]);
    await execa(join(fresh, "bin", "python3"), ["-m", "pip", "install", "--quiet", `moto[server]==${VERSION}`]);
    await rename(fresh, environment);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another test was first.
    if (!(await exists(python))) throw error;
  }
  return python;
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
