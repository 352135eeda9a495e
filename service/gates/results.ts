/** What came of the checks of a commit. Pure. */
import type { ChecksSpec } from "../../infra/checks.ts";

export type CheckKind = "smoke" | "command" | "http" | "errorRate" | "pageSpeed";

export interface CheckResult {
  readonly name: string;
  readonly kind: CheckKind;
  readonly ok: boolean;
  readonly required: boolean;
  /** What was found, as the rest of a sentence; redacted. */
  readonly text: string;
  /** Redacted last lines of a command. */
  readonly excerpt?: readonly string[];
  readonly ms: number;
}

export interface Checked {
  readonly commit: string;
  /** ISO 8601 of their end. */
  readonly at: string;
  readonly results: readonly CheckResult[];
}

/** A commit that failed what is required of it; stands until another one is good, or the same one is. */
export interface FailedChecks extends Checked {
  readonly reason: "SmokeTestFailed" | "GateFailed";
  /** Which check, and what was found. */
  readonly message: string;
  /** What its preview.yaml wished for, and where it led; undefined: it serves on. */
  readonly wentBackTo?: string;
  /** With `rollback` wished for: why it serves on, as the rest of a sentence. */
  readonly stays?: string;
}

/** The first required check that failed; undefined: it is good. */
export function failedOne(results: readonly CheckResult[]): CheckResult | undefined {
  return results.find(({ ok, required }) => required && !ok);
}

export function reasonOf({ kind }: Pick<CheckResult, "kind">): FailedChecks["reason"] {
  return kind === "smoke" ? "SmokeTestFailed" : "GateFailed";
}

/** Which check it was and what was found: `Smoke test "GET /health": it answered 500, not 200–399`. */
export function failureWords({ kind, name, text }: Pick<CheckResult, "kind" | "name" | "text">): string {
  return `${kind === "smoke" ? "Smoke test" : "Gate"} "${name}": ${text}`;
}

/** `Smoke tests 2 of 5.`; `done` are over. */
export function progressWords({ smoke, gates }: Pick<ChecksSpec, "smoke" | "gates">, done: number): string {
  return done < smoke.length
    ? `Smoke tests ${done + 1} of ${smoke.length}.`
    : `Gates ${done - smoke.length + 1} of ${gates.length}.`;
}

/** `5 checks passed`, `1 of 5 checks failed`; undefined where nothing was checked. */
export function countWords({ results }: Pick<Checked, "results">): string | undefined {
  const failed = results.filter(({ ok }) => !ok).length;
  const all = results.length;
  if (all === 0) return undefined;
  const checks = all === 1 ? "check" : "checks";
  return failed === 0 ? `${all} ${checks} passed` : `${failed} of ${all} ${checks} failed`;
}
