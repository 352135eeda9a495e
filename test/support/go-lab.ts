/** Servers for tests out of `tools/`, written in Go: built once per user, started per suite, ended with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, open, readdir, rm } from "node:fs/promises";
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
  /** Folder of what was built. Safe against kills and against several processes at once. */
  ensure(): Promise<string>;
  /** Builds it first where that was not done yet. It ends with this process at the latest. */
  start(): Promise<RunningLab>;
}

const START_WITHIN_MS = 120_000;
/** On two busy cores Gitea takes ten minutes. */
const BUILD_WITHIN_MS = 30 * 60_000;

export interface GoLabOptions {
  /** Folder below `tools/`, and name of the binary. */
  readonly name: string;
  /** Said while it is built, such as `building a Kafka broker for tests with Go`. */
  readonly building: string;
  /** Of the linker. */
  readonly flags?: readonly string[];
  /** Another package than the folder's own. */
  readonly main?: string;
  readonly tags?: readonly string[];
  /** Needs a C compiler. */
  readonly cgo?: boolean;
  /** Folders of the main package's module that the program reads as it runs; they come to lie beside it. */
  readonly reads?: readonly string[];
}

export function goLab(options: GoLabOptions): GoLab {
  const { name, building, flags = [], main = ".", tags = [], cgo = false, reads = [] } = options;
  const source = fileURLToPath(new URL(`../../tools/${name}/`, import.meta.url));
  const binary = () => join(installed(), name);
  return {
    fault() {
      if (existsSync(binary())) return undefined;
      const lacking = [
        ...(isOnPath("go") ? [] : ["go"]),
        ...(cgo && !isOnPath("cc") && !isOnPath("gcc") ? ["cc"] : []),
      ];
      if (lacking.length === 0) return undefined;
      return `tools/${name} is not built yet and there is no ${lacking.map((one) => `"${one}"`).join(" and no ")} on PATH to build it`;
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

  async function ensure(): Promise<string> {
    const onWait = () => process.stderr.write(`waiting for another process that builds ${name} …\n`);
    const fill = (directory: string) => withProgress(building, () => build(directory));
    await installOnce({ target: installed(), onWait, fill });
    return installed();
  }

  async function build(directory: string): Promise<void> {
    const linked = ["-s -w", ...flags].join(" ");
    const tagged = tags.length > 0 ? ["-tags", tags.join(" ")] : [];
    await go(["build", "-mod=readonly", "-trimpath", ...tagged, "-ldflags", linked, "-o", join(directory, name), main]);
    if (reads.length === 0) return;
    const module = (await go(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", main])).trim();
    for (const folder of reads) await copyTree(join(module, folder), join(directory, folder));
  }

  async function go(args: readonly string[]): Promise<string> {
    const env = { ...process.env, CGO_ENABLED: cgo ? "1" : "0", GOWORK: "off" };
    const signal = AbortSignal.timeout(BUILD_WITHIN_MS);
    const child = spawn("go", args, { cwd: source, env, signal, stdio: ["ignore", "pipe", "pipe"] });
    let [said, words] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000);
    });
    const outcome = await new Promise<number | string | null>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, by) => resolve(code ?? by));
    });
    if (outcome === 0) return said;
    throw new Error(`building tools/${name} failed (${outcome}): ${words.trim()}`);
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

/** Without the modes of Go's module cache, whose folders nobody may write to. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, copy);
    else if (entry.isFile()) await copyFile(source, copy);
  }
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
