/**
 * What Stackling is compared with: the engine with the same program and the same provider, attached and
 * listening before the clock starts, in a warm process of its own as with us, and nothing else of ours.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { PreviewSpec } from "../infra/spec.ts";

/**
 * `bare`: `pulumi stack init` and `pulumi up`, or `up` alone for a stack that is there. `documented`:
 * `createOrSelectStack` and `up` of the Automation API. `cli`: `pulumi up` with the Node language host.
 */
export type Way = "bare" | "documented" | "cli";

export interface PeerSettings {
  readonly engine: string;
  /** Data folder of the peer's provider. */
  readonly dataDir: string;
  readonly adminUrl: string;
  /** The engine's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export type PeerWork =
  | { readonly kind: "up"; readonly way: Way; readonly isNew: boolean; readonly spec: PreviewSpec }
  | { readonly kind: "destroy"; readonly stack: string };

export type PeerAnswer = { readonly ms: number } | { readonly error: string };

export interface EnginePeer {
  readonly pid: number;
  /** Milliseconds until the engine has ended and, after an `up`, the address answers with the commit. */
  run(work: PeerWork): Promise<number>;
  end(): Promise<void>;
}

/** Resolves when its provider listens. */
export async function startEnginePeer(settings: PeerSettings): Promise<EnginePeer> {
  const child = fork(fileURLToPath(new URL("./engine-peer-process.ts", import.meta.url)), {
    env: { ...settings.environment },
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = once(child, "exit").then((): never => {
    throw new Error("running a bare engine: its process ended");
  });
  gone.catch(() => {});
  await Promise.race([ask(child, settings), gone]);
  return {
    pid: child.pid ?? 0,
    run: async (work) => {
      const answer = await Promise.race([ask(child, work), gone]);
      if ("error" in answer) throw new Error(`running a bare engine: ${answer.error}`);
      return answer.ms;
    },
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await gone.catch(() => {});
    },
  };
}

async function ask(child: ChildProcess, message: PeerSettings | PeerWork): Promise<PeerAnswer> {
  const answered = once(child, "message");
  child.send(message);
  const [answer] = (await answered) as [PeerAnswer];
  return answer;
}
