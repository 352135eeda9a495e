/** What the runner and its children say to each other, as structured clones over Node's own channel. */
import { ConflictError, StacklingError, TerminalError } from "../components/errors.ts";
import type { LocalSettings } from "../components/local/resource.ts";
import { outageIn } from "./engine-outages.ts";
import type { PreviewSpec } from "./spec.ts";
import type { StackDriverSettings } from "./stack-driver-settings.ts";
import type { DestroyResult, DriftReport, EngineProcess, RunEvent, RunOutput, UpResult } from "./stacks.ts";

export type Work =
  | {
      readonly kind: "up";
      readonly spec: PreviewSpec;
      readonly secrets: Readonly<Record<string, string>>;
      readonly refresh: boolean;
      readonly mayBeNew: boolean;
    }
  | { readonly kind: "destroy" }
  | { readonly kind: "drift" };

/** What each kind of work gives. */
export interface WorkResults {
  readonly up: UpResult;
  readonly destroy: DestroyResult;
  readonly drift: DriftReport;
}

/** Modules that a child loads once, by URL: the drivers' registry and the provider that is attached. */
export interface RunnerModules {
  /** Exports `registry`, see program.ts. */
  readonly registry: string;
  /** Exports `startProvider`, see components/local/provider.ts. */
  readonly provider: string;
}

export interface ChildSettings {
  readonly driver: StackDriverSettings;
  readonly provider: LocalSettings;
  readonly modules: RunnerModules;
}

export type ToChild =
  | { readonly type: "configure"; readonly settings: ChildSettings }
  | { readonly type: "run"; readonly stack: string; readonly fence: number; readonly work: Work }
  | { readonly type: "interrupt" }
  | {
      readonly type: "answer";
      readonly ask: number;
      readonly engines?: readonly EngineProcess[];
      readonly error?: WireError;
    };

export type FromChild =
  | { readonly type: "ready" }
  | { readonly type: "beat" }
  | { readonly type: "event"; readonly event: RunEvent }
  | { readonly type: "output"; readonly output: RunOutput }
  | { readonly type: "ask"; readonly ask: number; readonly question: Question }
  | { readonly type: "done"; readonly result: WorkResults[Work["kind"]] }
  /** `spent`: something of the run may go on in this child, so that a fresh one should take its place. */
  | { readonly type: "failed"; readonly error: WireError; readonly spent: boolean };

export type Question =
  | { readonly kind: "recordEngine"; readonly engine: EngineProcess }
  | { readonly kind: "priorEngines" };

/** An error on its way between processes. */
export interface WireError {
  readonly kind: "terminal" | "conflict" | "retryable";
  readonly reason: string;
  readonly userMessage: string;
  readonly excerpt: readonly string[];
  readonly cause?: string;
}

export function toWire(error: unknown): WireError {
  if (!(error instanceof StacklingError)) {
    const outage = error instanceof Error ? outageIn(error.message, "running the engine", error) : undefined;
    if (outage) return toWire(outage);
    const cause = error instanceof Error ? error.stack : String(error);
    return {
      kind: "retryable",
      reason: "EngineFailed",
      userMessage: "running the engine: it failed",
      excerpt: [],
      cause,
    };
  }
  const { reason, userMessage, excerpt, cause } = error;
  const kind = error instanceof TerminalError ? "terminal" : error instanceof ConflictError ? "conflict" : "retryable";
  const told = cause instanceof Error ? cause.message : cause;
  return { kind, reason, userMessage, excerpt, ...(told !== undefined && { cause: String(told) }) };
}

export function fromWire({ kind, cause, ...details }: WireError): StacklingError {
  const Class = { terminal: TerminalError, conflict: ConflictError, retryable: StacklingError }[kind];
  return new Class({ ...details, ...(cause !== undefined && { cause: new Error(cause) }) });
}
