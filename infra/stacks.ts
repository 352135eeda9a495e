/**
 * The port between the service and the Pulumi engine: one stack per preview, brought up, destroyed,
 * compared and listed. `runner.ts` implements it over warm child processes; nothing else imports the
 * Automation API than `stack-driver.ts`.
 */
import type { Change } from "../components/ports.ts";
import type { PreviewSpec } from "./spec.ts";
import type { StackResource } from "./stack-resources.ts";

/**
 * The right to run an engine on one stack. Whoever holds it renews it; when it is
 * lost, the run is ended by its watchdog. `fence` rises with every holder, and the provider refuses
 * side effects of a lower one.
 */
export interface Lease {
  readonly stack: string;
  readonly fence: number;
  /** Aborts when the lease could not be renewed in time or was taken away. */
  readonly lost: AbortSignal;
  /** Calls back after each successful renewal; returns the function that unsubscribes. */
  onRenewed(listener: () => void): () => void;
  /** Written before the engine starts its work, so that a successor can tell our dead lock from a person's. */
  recordEngine(engine: EngineProcess): Promise<void>;
  /** Engines that earlier runs of ours recorded for this stack, newest first. */
  priorEngines(): Promise<readonly EngineProcess[]>;
}

export interface EngineProcess {
  readonly host: string;
  readonly pid: number;
  /** Kernel start time, so that a reused pid is not taken for ours. Opaque; compared for equality. */
  readonly startTime: string;
}

/** What the engine reports while it runs, reduced to what people and metrics need. Secrets are masked. */
export interface RunEvent {
  /** ISO 8601 UTC */
  readonly at: string;
  readonly kind: "started" | "resource" | "diagnostic" | "finished";
  /** `create`, `update`, `replace`, `delete`, `same`, … for `resource`. */
  readonly operation?: string;
  readonly urn?: string;
  /** Type token, for example `stackling:local:Service`. */
  readonly type?: string;
  readonly name?: string;
  readonly done?: boolean;
  /** Done, and in vain. */
  readonly failed?: true;
  readonly severity?: "debug" | "info" | "warning" | "error";
  readonly message?: string;
}

/** What a program of the preview printed during a run: redacted, no control characters, lines of bounded length. */
export interface RunOutput {
  /** `install`, `build`, `migrate`, `seed`, or the name of a service that starts. */
  readonly source: string;
  readonly lines: readonly string[];
}

/** What a run tells and asks while it runs. */
export interface RunHooks {
  recordEngine(engine: EngineProcess): Promise<void>;
  priorEngines(): Promise<readonly EngineProcess[]>;
  onEvent(event: RunEvent): void;
  readonly interrupt: AbortSignal;
}

export interface RunRequest {
  readonly lease: Lease;
  readonly onEvent?: (event: RunEvent) => void;
  /** Only of what runs on this machine. */
  readonly onOutput?: (output: RunOutput) => void;
  /** Sends one SIGINT at once (a close, a lost lease); a newer push never does. */
  readonly interrupt?: AbortSignal;
}

export interface UpRequest extends RunRequest {
  readonly spec: PreviewSpec;
  /** Values of `spec.grantedSecrets` by name; they enter the state encrypted. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Looks at the world first; set after a kill, a drift or a takeover. */
  readonly refresh: boolean;
  /** False when the stack is known to exist already, which saves a process. */
  readonly mayBeNew: boolean;
}

export interface UpResult {
  /** Public outputs by name; secret ones are absent. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Resources by operation, such as `{ create: 4, same: 2 }`. */
  readonly changes: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

export interface DestroyRequest extends RunRequest {
  readonly stack: string;
}

export interface DestroyResult {
  /** URNs the stack owned when the destroy began; empty when there was no stack. */
  readonly removed: readonly string[];
  readonly durationMs: number;
}

export interface DriftRequest extends RunRequest {
  readonly stack: string;
}

export interface DriftReport {
  readonly differences: readonly Difference[];
}

export interface Difference {
  readonly urn: string;
  /** The vendor's own, as the state has it; absent where it has none. */
  readonly id?: string;
  readonly type: string;
  readonly name: string;
  readonly kind: "changed" | "missing";
  /** Who made it and when, where the vendor tells. */
  readonly change?: Change;
  /** In words: `database "shop_pr_42" is missing`. */
  readonly message: string;
}

/** How busy the engines of this process are. */
export interface EngineLoad {
  /** How many may run at once, */
  readonly size: number;
  readonly running: number;
  /** and runs that wait for one. */
  readonly waiting: number;
}

/**
 * Every method that runs an engine throws `ConflictError` (reason `StackLocked`) when a lock that is
 * not a dead one of ours is there, naming holder and age; `TerminalError` when the inputs are at
 * fault; `StacklingError` otherwise, with the engine's own words in `cause` only.
 */
export interface Stacks {
  up(request: UpRequest): Promise<UpResult>;
  /** No stack is success. Removes the stack, its lock, `.bak`, history and backups. */
  destroy(request: DestroyRequest): Promise<DestroyResult>;
  drift(request: DriftRequest): Promise<DriftReport>;
  /** Names of all stacks of our project in the backend. */
  list(): Promise<readonly string[]>;
  /** Public outputs as the backend holds them; undefined when there is no stack. */
  outputs(stack: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** What it consists of as its state says, without secrets; nothing when there is no stack. */
  resources(stack: string): Promise<readonly StackResource[]>;
  /** Files, locks and history that the backend still holds for a stack; empty after a clean destroy. */
  remains(stack: string): Promise<readonly string[]>;
  /** Names of stacks that are no more, and of which the backend still holds something. */
  leftovers(): Promise<readonly string[]>;
  load(): EngineLoad;
  close(): Promise<void>;
}
