/** Gets the Pulumi engine into the user's cache: the official download, else a build with Go. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { StacklingError, TerminalError } from "../components/errors.ts";
import { askVersion, type Engine, engineCacheRoot, isFit, locateEngine, sdkVersion, waysToGetOne } from "./engine.ts";
import { installOnce } from "./install-once.mjs";

export interface EngineInstallDeps {
  /** Runs `work` while telling a person that `label` is going on. */
  readonly withProgress: <T>(label: string, work: () => Promise<T>) => Promise<T>;
  /** Called once when another process is installing already. */
  readonly onWait: () => void;
}

const downloadTimeoutMs = 10 * 60_000;
const buildTimeoutMs = 40 * 60_000;
const minimumGo = [1, 26];

/**
 * The engine to use; gets one into the cache when there is none. Safe against kills and against
 * several processes at once. Does not install when `STACKLING_ENGINE` names an unfit one.
 *
 * @throws TerminalError `EngineMissing` naming every way when none works, with what failed as cause
 */
export async function ensureEngine(deps: EngineInstallDeps): Promise<Engine> {
  try {
    return await locateEngine();
  } catch (error) {
    if (!(error instanceof TerminalError) || error.reason !== "EngineMissing") throw error;
  }
  const root = engineCacheRoot();
  await installOnce({ target: root, onWait: deps.onWait, fill: (directory) => fill(deps, directory) });
  return locateEngine();
}

async function fill(deps: EngineInstallDeps, directory: string): Promise<void> {
  const failures: string[] = [];
  for (const way of [download, build]) {
    try {
      await way(deps, directory);
      const version = await askVersion(join(directory, "bin", "pulumi"));
      if (version !== undefined && isFit(version)) return;
      failures.push(`it gave version "${version ?? "none"}"`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new TerminalError({
    reason: "EngineMissing",
    userMessage: `getting the Pulumi engine ${sdkVersion()}: ${failures.join("; ")}. Ways to get one: ${waysToGetOne()}`,
  });
}

async function download(deps: EngineInstallDeps, directory: string): Promise<void> {
  await deps.withProgress(`downloading the Pulumi engine ${sdkVersion()}`, async () => {
    const program = fileURLToPath(new URL(`./engine-download${import.meta.url.slice(-3)}`, import.meta.url));
    const child = spawn(process.execPath, [program, directory], {
      env: { ...process.env, NODE_USE_ENV_PROXY: "1" },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await ended(child, { what: "downloading it", timeoutMs: downloadTimeoutMs });
  });
}

async function build(deps: EngineInstallDeps, directory: string): Promise<void> {
  await requireGo();
  const version = sdkVersion();
  const flags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`;
  const output = join(directory, "bin", "pulumi");
  await mkdir(dirname(output), { recursive: true });
  await deps.withProgress(`building the Pulumi engine ${version} with Go (once, some minutes)`, async () => {
    const args = ["build", "-mod=readonly", "-ldflags", flags, "-o", output];
    const child = spawn("go", [...args, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"], {
      cwd: engineModule(),
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await ended(child, { what: "building it with Go", timeoutMs: buildTimeoutMs });
  });
}

async function requireGo(): Promise<void> {
  const child = spawn("go", ["env", "GOVERSION"], { cwd: engineModule(), stdio: ["ignore", "pipe", "pipe"] });
  const words = await ended(child, { what: "looking for Go", timeoutMs: 120_000 }).catch((error: unknown) => {
    throw new StacklingError({ reason: "GoMissing", userMessage: "Go is not installed", cause: error });
  });
  const [major = 0, minor = 0] = words.trim().replace(/^go/, "").split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = minimumGo;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new StacklingError({ reason: "GoTooOld", userMessage: `Go is "${words.trim()}", 1.26 is needed` });
}

/** `tools/engine` of the clone or the installed package: this file lies in `infra/` or `dist/infra/`. */
function engineModule(): string {
  const candidates = ["../tools/engine", "../../tools/engine"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(join(path, "go.mod")));
  if (found) return found;
  throw new StacklingError({ reason: "EngineModuleMissing", userMessage: `"${candidates[0]}" is missing` });
}

/**
 * Waits for a set-up process and ends its whole process group when it takes too long or when we are
 * ended ourselves. Resolves with its standard output.
 */
async function ended(child: ChildProcess, { what, timeoutMs }: { what: string; timeoutMs: number }): Promise<string> {
  let output = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000);
  });
  const end = (): void => endGroup(child);
  const interrupted = (signal: NodeJS.Signals): void => {
    end();
    process.kill(process.pid, signal);
  };
  const timer = setTimeout(end, timeoutMs);
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted).once("SIGHUP", interrupted);
  try {
    const outcome = await new Promise<number | string | null>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(code ?? signal));
    });
    if (outcome === 0) return output;
    const words = errors.trim().split("\n").slice(-10).join("\n");
    throw new StacklingError({
      reason: "EngineInstallFailed",
      userMessage: `${what} failed (${outcome})${words ? `: ${words}` : ""}`,
    });
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted).off("SIGHUP", interrupted);
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}
