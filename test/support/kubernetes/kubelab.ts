/** The control plane of `tools/kubelab`: built once per user, started per suite. */
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
import { cacheDir, installOnce } from "../../../infra/install-once.mjs";
import { withProgress } from "../../../infra/progress.mjs";

export interface Kubelab {
  /** Path of a kubeconfig for an administrator. */
  readonly kubeconfig: string;
  /** URL of the API server, on loopback. */
  readonly server: string;
  /** `v1.36.3` */
  readonly version: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const source = fileURLToPath(new URL("../../../tools/kubelab/", import.meta.url));
/** As go.mod names it. */
const version = /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(source, "go.mod"), "utf8"))?.[1] ?? "";
const startTimeoutMs = 120_000;

/** Why this machine has no control plane to test on; undefined when it is built or can be. Builds nothing. */
export function kubelabFault(): string | undefined {
  if (process.env.STACKLING_TEST_KUBELAB || existsSync(binary()) || goOnPath()) return undefined;
  return 'tools/kubelab is not built yet and there is no "go" on PATH to build it';
}

/** The one that `npm run test:kubernetes` started for all its files, else one of the caller's own. */
export async function useKubelab(): Promise<Kubelab> {
  const shared = process.env.STACKLING_TEST_KUBELAB;
  if (!shared) return startKubelab();
  return { ...(JSON.parse(shared) as Omit<Kubelab, "stop">), stop: async () => {} };
}

/** Builds it first where that was not done yet. It ends with this process at the latest. */
export async function startKubelab(): Promise<Kubelab> {
  await ensureKubelab();
  // Without a name from the start, so that it goes whatever happens to us.
  const path = join(tmpdir(), `kubelab-${process.pid}-${randomUUID()}.log`);
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
    const told = JSON.parse(await firstLine(child));
    return { kubeconfig: told.kubeconfig, server: told.server, version, pid: told.pid, stop };
  } catch (error) {
    const { buffer, bytesRead } = await log.read(Buffer.alloc(1_000_000), 0, 1_000_000, 0);
    const words = buffer.toString("utf8", 0, bytesRead).trim().split("\n").slice(-15).join("\n");
    await stop();
    throw new Error(`starting kubelab failed:\n${words}`, { cause: error });
  }
}

/** Safe against kills and against several processes at once. */
export async function ensureKubelab(): Promise<void> {
  const onWait = () => process.stderr.write("waiting for another process that builds kubelab …\n");
  await installOnce({
    target: installed(),
    onWait,
    fill: (directory) =>
      withProgress("building a Kubernetes control plane for tests with Go (once, some minutes)", () =>
        build(directory),
      ),
  });
}

async function build(directory: string): Promise<void> {
  const [major, minor] = version.slice(1).split(".");
  const told = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor });
  const flags = ["-s -w", ...told.map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(
    " ",
  );
  const child = spawn(
    "go",
    ["build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", join(directory, "kubelab"), "."],
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
  if (outcome !== 0) throw new Error(`building tools/kubelab failed (${outcome}): ${words.trim()}`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("kubelab's output is not piped");
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(startTimeoutMs);
  const exit = once(child, "exit", { signal }).then(([code, by]) => {
    throw new Error(`kubelab ended (${code ?? by})`);
  });
  const [line] = await Promise.race([once(lines, "line", { signal }), exit]);
  exit.catch(() => {});
  return line;
}

function binary(): string {
  return join(installed(), "kubelab");
}

/** Another file in tools/kubelab, another binary. */
function installed(): string {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
  for (const name of readdirSync(source).sort()) hash.update(name).update(readFileSync(join(source, name)));
  return join(cacheDir(), "kubelab", hash.digest("hex").slice(0, 16));
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
