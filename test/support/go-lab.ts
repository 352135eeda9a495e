/** Servers for tests out of `tools/`, written in Go: built once per user, started per suite, ended with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cacheDir, installOnce } from "../../infra/install-once.mjs";
import { withProgress } from "../../infra/progress.mjs";

export interface RunningLab {
  /** The line of JSON that it printed when it was ready. */
  readonly told: unknown;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export interface GoLab {
  /** Why this machine has none; undefined when it is built or can be. Builds nothing. */
  fault(): string | undefined;
  /** Safe against kills and against several processes at once. */
  ensure(): Promise<void>;
  /** Builds it first where that was not done yet. It ends with this process at the latest. */
  start(): Promise<RunningLab>;
}

const START_WITHIN_MS = 120_000;

export interface GoLabOptions {
  /** Folder below `tools/`, and name of the binary. */
  readonly name: string;
  /** Said while it is built, such as `building a Kafka broker for tests with Go`. */
  readonly building: string;
  /** Of the linker. */
  readonly flags?: readonly string[];
}

export function goLab({ name, building, flags = [] }: GoLabOptions): GoLab {
  const source = fileURLToPath(new URL(`../../tools/${name}/`, import.meta.url));
  const binary = () => join(installed(), name);
  return {
    fault() {
      if (existsSync(binary()) || goOnPath()) return undefined;
      return `tools/${name} is not built yet and there is no "go" on PATH to build it`;
    },
    ensure,
    async start() {
      await ensure();
      // Without a name from the start, so that it goes whatever happens to us.
      const path = join(tmpdir(), `${name}-${process.pid}-${randomUUID()}.log`);
      const log = await open(path, "w+");
      await rm(path);
      const child = spawn(binary(), [], { stdio: ["pipe", "pipe", log.fd] });
      const ended = once(child, "exit");
      const stop = async () => {
        child.stdin?.end();
        if (child.exitCode === null && child.signalCode === null) await ended;
        await log.close();
      };
      try {
        return { told: JSON.parse(await firstLine(child)), pid: child.pid, stop };
      } catch (error) {
        const { buffer, bytesRead } = await log.read(Buffer.alloc(1_000_000), 0, 1_000_000, 0);
        const words = buffer.toString("utf8", 0, bytesRead).trim().split("\n").slice(-15).join("\n");
        await stop();
        throw new Error(`starting ${name} failed:\n${words}`, { cause: error });
      }
    },
  };

  async function ensure(): Promise<void> {
    const onWait = () => process.stderr.write(`waiting for another process that builds ${name} …\n`);
    const fill = (directory: string) => withProgress(building, () => build(directory));
    await installOnce({ target: installed(), onWait, fill });
  }

  async function build(directory: string): Promise<void> {
    const linked = ["-s -w", ...flags].join(" ");
    const child = spawn(
      "go",
      ["build", "-mod=readonly", "-trimpath", "-ldflags", linked, "-o", join(directory, name), "."],
      { cwd: source, env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" }, stdio: ["ignore", "ignore", "pipe"] },
    );
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000);
    });
    const outcome = await new Promise<number | string | null>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(code ?? signal));
    });
    if (outcome !== 0) throw new Error(`building tools/${name} failed (${outcome}): ${words.trim()}`);
  }

  /** Another file in its folder, another binary. */
  function installed(): string {
    const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
    for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)));
    return join(cacheDir(), name, hash.digest("hex").slice(0, 16));
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("its output is not piped");
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(START_WITHIN_MS);
  const exit = once(child, "exit", { signal }).then(([code, by]) => {
    throw new Error(`it ended (${code ?? by})`);
  });
  const [line] = await Promise.race([once(lines, "line", { signal }), exit]);
  exit.catch(() => {});
  return line;
}

function goOnPath(): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, "go"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
