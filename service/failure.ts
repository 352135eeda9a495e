/** What a failed action leaves in the status. Pure. */
import { ConflictError, StacklingError, TerminalError } from "../components/errors.ts";
import { redact } from "../components/local/redact.ts";
import { specDigest } from "../infra/spec.ts";
import type { Act, Actuation } from "./actuate.ts";
import { isGroundOutage, wasCutShort } from "./decide.ts";
import { mayHaveMigrated } from "./rollback.ts";
import type { PreviewStatus } from "./status.ts";
import { after } from "./times.ts";

/** When a lock or lease of somebody else is looked at again. */
const CONFLICT_AGAIN_MS = 5_000;

interface Moment {
  /** ISO 8601 UTC */
  readonly at: string;
  /** The run was ended from outside: it says nothing about the input. */
  readonly isEnded: boolean;
}

/** The status after a failure: what is shown, and what the next decision needs to know. */
export function failureOf(
  { preview: { status }, action, spec }: Pick<Actuation, "preview" | "action" | "spec">,
  error: unknown,
  { at, isEnded }: Moment,
): Partial<PreviewStatus> {
  const shown = wordsFor(action.kind, error);
  if (error instanceof ConflictError) {
    return {
      condition: status.live ? status.condition : "Reconciling",
      ...shown,
      interrupted: status.interrupted,
      conflictUntil: after(at, CONFLICT_AGAIN_MS),
    };
  }
  if (isEnded) return {};
  if (action.kind === "up" && spec) {
    const digest = specDigest(spec);
    const { attempted: before } = status;
    return {
      condition: "Stalled",
      ...shown,
      interrupted: false,
      attempted: {
        digest,
        ok: false,
        terminal: error instanceof TerminalError,
        failures: (before?.digest === digest ? before.failures : 0) + 1,
        at,
        failure: shown,
        ...(wasCutShort(status) ? { cutShort: true } : {}),
        ...(before && mayHaveMigrated(status) ? { mayHaveMigrated: true } : {}),
      },
    };
  }
  if (action.kind === "up") return { condition: "Stalled", ...shown };
  const failures = status.failed?.action === action.kind ? status.failed.failures + 1 : 1;
  const outage = error instanceof StacklingError && isGroundOutage(error.reason);
  return {
    condition: "Stalled",
    ...shown,
    failed: { action: action.kind, failures, at, ...(outage ? { outage } : {}) },
    ...(action.kind === "destroy" && !outage ? { destroyFailures: status.destroyFailures + 1 } : {}),
  };
}

function wordsFor(kind: Act["kind"], error: unknown): Pick<PreviewStatus, "reason" | "message" | "excerpt"> {
  if (error instanceof StacklingError) {
    const keeps = error instanceof ConflictError || isGroundOutage(error.reason);
    const reason = kind === "destroy" && !keeps ? "DestroyFailed" : error.reason;
    return { reason, message: redact(error.userMessage), excerpt: error.excerpt.map((line) => redact(line)) };
  }
  const reason = kind === "destroy" ? "DestroyFailed" : "EngineFailed";
  return { reason, message: `${DOING[kind]} failed; the log of the service says why.`, excerpt: [] };
}

const DOING: Readonly<Record<Act["kind"], string>> = {
  up: "Bringing it up",
  destroy: "Destroying it",
  sleep: "Putting it to sleep",
  wake: "Waking it",
  check: "Checking it",
};
