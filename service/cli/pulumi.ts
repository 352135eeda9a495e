/** The real `pulumi` CLI on one preview's stack: its backend, passphrase and spec set, under the lease. */
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import pino from "pino";
import { ConflictError, TerminalError } from "../../components/errors.ts";
import { layout } from "../../components/local/layout.ts";
import { startTimeOf } from "../../components/local/process-identity.ts";
import { folderBackend } from "../../infra/backend.ts";
import { type Engine, locateEngine } from "../../infra/engine.ts";
import { startEmbeddedPostgres } from "../embedded/postgres.ts";
import { openStore } from "../store/postgres.ts";

export interface PulumiCall {
  readonly dataDir: string;
  readonly instanceId: string;
  readonly stack: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Verbs that run the program, for which the CLI needs Pulumi's language host for Node. */
const RUNS_PROGRAM = new Set(["up", "update", "preview", "pre", "watch", "import"]);
const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Runs it in the foreground and resolves with its exit code. Throws `ConflictError` (`StackLocked`) while
 * an engine runs on the stack, `TerminalError` (`LanguageHostMissing`) where the program cannot be run.
 */
export async function runPulumi(call: PulumiCall): Promise<number> {
  const { stack, args } = call;
  const engine = await locateEngine(call.environment);
  const verb = args.find((arg) => !arg.startsWith("-"));
  if (verb !== undefined && RUNS_PROGRAM.has(verb)) requireLanguageHost(engine, verb);
  return underLease(call, async (fence) => {
    const folder = await workFolder(call);
    try {
      const { exitCode, signal } = await execa(engine.command, [...args], {
        cwd: folder,
        env: variables(call, { engine, fence, folder }),
        extendEnv: false,
        stdio: "inherit",
        reject: false,
      });
      if (signal)
        throw new TerminalError({
          reason: "EngineFailed",
          userMessage: `running pulumi on "${stack}": it was ended by ${signal}`,
        });
      return exitCode ?? 1;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** While a person runs the engine nobody else may; the lease is renewed until the work is done. */
async function underLease(call: PulumiCall, work: (fence: number) => Promise<number>): Promise<number> {
  const { dataDir, instanceId, stack } = call;
  const logger = pino({ level: "silent" });
  const postgres = await startEmbeddedPostgres({ dir: join(layout(dataDir).postgres, "store"), logger });
  const store = await openStore({
    url: postgres.url,
    holder: `${instanceId}/cli/${process.pid}/${startTimeOf(process.pid)}`,
    logger,
    now: () => new Date().toISOString(),
  });
  try {
    const lease = await store.acquireLease(stack);
    if (!lease) {
      throw new ConflictError({
        reason: "StackLocked",
        userMessage: `running pulumi on "${stack}": an engine of Stackling runs on it now, try again in a moment`,
      });
    }
    try {
      return await work(lease.fence);
    } finally {
      await lease.release();
    }
  } finally {
    await store.close();
  }
}

/** A throw-away project: the CLI wants one, and the stack's spec in a file. */
async function workFolder({ dataDir, stack }: PulumiCall): Promise<string> {
  const checkpoint = await folderBackend(backendUrl(dataDir))?.checkpoint(stack);
  const folder = await mkdtemp(join(tmpdir(), "stackling-pulumi-"));
  for (const name of ["Pulumi.yaml", "infra", "components", "node_modules", "package.json"]) {
    await symlink(join(PROJECT_ROOT, name), join(folder, name));
  }
  await writeFile(join(folder, "spec.json"), JSON.stringify(checkpoint?.outputs.spec ?? null), { mode: 0o600 });
  return folder;
}

function variables(
  { dataDir, stack, environment }: PulumiCall,
  { engine, fence, folder }: { readonly engine: Engine; readonly fence: number; readonly folder: string },
): Record<string, string> {
  const { PATH = "", HOME = "", TERM = "dumb", LANG = "C.UTF-8", EDITOR = "" } = environment;
  const { passphrase, pulumiHome } = layout(dataDir);
  // Our Node for the provider's script, the provider for the engine, then what the person has.
  const path = [join(PROJECT_ROOT, "bin"), dirname(process.execPath), dirname(engine.command), PATH].join(delimiter);
  return {
    PATH: path,
    HOME,
    TERM,
    LANG,
    ...(EDITOR ? { EDITOR } : {}),
    PULUMI_BACKEND_URL: backendUrl(dataDir),
    PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    PULUMI_HOME: pulumiHome,
    PULUMI_STACK: stack,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    STACKLING_DATA: dataDir,
    STACKLING_FENCE: String(fence),
    STACKLING_SPEC: join(folder, "spec.json"),
  };
}

function backendUrl(dataDir: string): string {
  return `file://${layout(dataDir).state}`;
}

function requireLanguageHost({ languageHost, command }: Engine, verb: string): void {
  if (languageHost) return;
  throw new TerminalError({
    reason: "LanguageHostMissing",
    userMessage: `running "pulumi ${verb}": the engine at "${command}" came without Pulumi's language host for Node, which official installs have; "stackling drift KEY --repair" does the same through the service`,
  });
}
