/** The real `pulumi` CLI on one preview's stack: its backend, passphrase and spec set, under the lease. */
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { withFiles } from "../../components/credential.ts";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { layout } from "../../components/local/layout.ts";
import { type Engine, locateEngine } from "../../infra/engine.ts";
import { engineVariables } from "../../infra/engine-variables.ts";
import { EXECUTABLES, LANGUAGE_HOSTS } from "../../infra/executables.ts";
import type { Client, RemoteLease } from "./client.ts";

export interface PulumiCall {
  readonly client: Pick<Client, "lease">;
  readonly key: string;
  readonly dataDir: string;
  readonly stack: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Called once when an engine of Stackling has to be waited for. */
  readonly onWait: () => void;
}

/** What may leave the stack otherwise than the service knows it. */
const CHANGES = new Set([
  "up",
  "update",
  "watch",
  "import",
  "destroy",
  "dn",
  "down",
  "refresh",
  "state",
  "cancel",
  "rm",
]);
const READS = new Set(["preview", "pre"]);
/** The clone, or `dist/` of the installed package. */
const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Longer than most updates, shorter than a person's patience. */
const LEASE_WITHIN_MS = 120_000;
const ASK_EVERY_MS = 250;

/**
 * Runs it in the foreground and resolves with its exit code. Throws `TerminalError`: `StackLocked` when
 * an engine runs on the stack for two minutes more. When the lease is lost, the engine is asked to end.
 */
export async function runPulumi(call: PulumiCall): Promise<number> {
  const { stack, args } = call;
  const engine = await locateEngine(call.environment);
  const lease = await takeLease(call);
  try {
    const folder = await workFolder(lease);
    try {
      const running = execa(engine.command, [...args], {
        cwd: folder,
        env: await withFiles(variables(call, { engine, folder, lease }), folder),
        extendEnv: false,
        stdio: "inherit",
        reject: false,
      });
      const { exitCode, signal } = await attended(running, lease.lost);
      if (lease.lost.aborted) throw leaseLost(stack);
      if (signal)
        throw new TerminalError({
          reason: "EngineFailed",
          userMessage: `running pulumi on "${stack}": it was ended by ${signal}`,
        });
      return exitCode ?? 1;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } finally {
    await lease.release();
  }
}

/** True when the preview must be compared with the world and put right afterwards. */
export function mayChange(args: readonly string[]): boolean {
  const words = args.filter((arg) => !arg.startsWith("-"));
  return !READS.has(words[0] ?? "") && words.slice(0, 2).some((word) => CHANGES.has(word));
}

async function takeLease({ client, key, onWait }: PulumiCall): Promise<RemoteLease> {
  const deadline = performance.now() + LEASE_WITHIN_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.lease(key);
    } catch (error) {
      const passes = error instanceof StacklingError && error.reason === "StackLocked";
      if (!passes || performance.now() > deadline) throw error;
      if (attempt === 2) onWait();
      await pause(ASK_EVERY_MS);
    }
  }
}

/** The engine ends by itself on a signal, and we stay until it has: its lease and folder are ours to give back. */
async function attended<Outcome>(
  running: PromiseLike<Outcome> & { kill(signal: NodeJS.Signals): boolean },
  lost: AbortSignal,
): Promise<Outcome> {
  const pass = (signal: NodeJS.Signals) => {
    // The terminal has already sent Ctrl-C to the whole foreground group.
    if (signal !== "SIGINT" || !process.stdin.isTTY) running.kill(signal);
  };
  const interrupt = () => running.kill("SIGINT");
  for (const name of SIGNALS) process.on(name, pass);
  lost.addEventListener("abort", interrupt, { once: true });
  try {
    return await running;
  } finally {
    lost.removeEventListener("abort", interrupt);
    for (const name of SIGNALS) process.off(name, pass);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function leaseLost(stack: string): StacklingError {
  return new StacklingError({
    reason: "LeaseLost",
    userMessage: `running pulumi on "${stack}": the service that held its lease went away, so the engine was told to end`,
  });
}

/** A throw-away project: the CLI wants one, and the program its spec and granted secrets in files. */
async function workFolder({ spec, secrets }: RemoteLease): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stackling-pulumi-"));
  for (const name of ["Pulumi.yaml", "infra"]) await symlink(join(PROJECT_ROOT, name), join(folder, name));
  await writeFile(join(folder, "spec.json"), JSON.stringify(spec ?? null), { mode: 0o600 });
  await writeFile(join(folder, "secrets.json"), JSON.stringify(secrets), { mode: 0o600 });
  return folder;
}

interface Surroundings {
  readonly engine: Engine;
  readonly folder: string;
  readonly lease: RemoteLease;
}

function variables(
  { dataDir, stack, environment }: PulumiCall,
  { engine, folder, lease }: Surroundings,
): Record<string, string> {
  const { PATH = "", HOME = "", TERM = "dumb", LANG = "C.UTF-8", EDITOR = "" } = environment;
  const { passphrase, pulumiHome, state } = layout(dataDir);
  // Our Node for the provider's script, the provider for the engine, then what the person has.
  const path = [...EXECUTABLES, dirname(process.execPath), dirname(engine.command), PATH];
  const languageHosts = engine.languageHost ? [] : LANGUAGE_HOSTS;
  return {
    ...lease.environment,
    PATH: [...path, ...languageHosts].join(delimiter),
    HOME,
    TERM,
    LANG,
    ...(EDITOR ? { EDITOR } : {}),
    ...engineVariables({ backendUrl: lease.backend ?? `file://${state}`, passphraseFile: passphrase }),
    PULUMI_HOME: pulumiHome,
    PULUMI_STACK: stack,
    STACKLING_DATA: dataDir,
    STACKLING_FENCE: String(lease.fence),
    STACKLING_SPEC: join(folder, "spec.json"),
    STACKLING_SECRETS: join(folder, "secrets.json"),
  };
}
