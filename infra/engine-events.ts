/** What the engine reports, reduced to what people, metrics and the runner need. Pure. */
import type { RunEvent } from "./stacks.ts";

/** The part of the engine's event that is used here: `EngineEvent` of @pulumi/pulumi/automation/events. */
export interface EngineEvent {
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly preludeEvent?: object;
  readonly summaryEvent?: { readonly resourceChanges: Readonly<Record<string, number>> };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly policyEvent?: {
    readonly resourceUrn?: string;
    readonly policyName: string;
    readonly message: string;
    readonly enforcementLevel: string;
  };
  readonly diagnosticEvent?: { readonly urn?: string; readonly message: string; readonly severity: string };
}

export interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: { readonly id: string } | null;
  readonly new?: { readonly outputs: Readonly<Record<string, unknown>> } | null;
  readonly diffs?: readonly string[] | null;
  readonly detailedDiff?: Readonly<Record<string, unknown>> | null;
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/** Undefined for what nobody needs to see: debug lines and the engine's own bookkeeping. */
export function toRunEvent(event: EngineEvent): RunEvent | undefined {
  const at = new Date(event.timestamp * 1000).toISOString();
  if (event.preludeEvent) return { at, kind: "started" };
  if (event.summaryEvent) return { at, kind: "finished" };
  const resource = event.resourcePreEvent ?? event.resOutputsEvent ?? event.resOpFailedEvent;
  if (resource) {
    const { op, urn, type } = resource.metadata;
    const told = { at, kind: "resource", operation: op, urn, type, name: nameOf(urn) } as const;
    return { ...told, done: !event.resourcePreEvent, ...(event.resOpFailedEvent ? { failed: true } : {}) };
  }
  const diagnostic = event.diagnosticEvent;
  const severity = diagnostic && severities[diagnostic.severity];
  if (!diagnostic || !severity) return undefined;
  return {
    at,
    kind: "diagnostic",
    severity,
    message: diagnostic.message.trimEnd(),
    ...(diagnostic.urn && { urn: diagnostic.urn, name: nameOf(diagnostic.urn) }),
  };
}

/** What a mandatory policy forbids, naming policy and resource; undefined for all other events. */
export function violationOf({ policyEvent }: EngineEvent): string | undefined {
  if (policyEvent?.enforcementLevel !== "mandatory") return undefined;
  const { resourceUrn = "", policyName, message } = policyEvent;
  const type = resourceUrn.split("::")[2]?.split("$").at(-1);
  // The engine puts the policy's description first.
  const words = message.trim().split("\n").at(-1);
  return `the policy "${policyName}" forbids ${type} "${nameOf(resourceUrn)}": ${words}`;
}

/** Public outputs of the stack when the event carries them. */
export function stackOutputs(event: EngineEvent): Readonly<Record<string, unknown>> | undefined {
  const metadata = event.resOutputsEvent?.metadata;
  if (metadata?.type !== STACK_TYPE || !metadata.new) return undefined;
  return publicOutputs(metadata.new.outputs);
}

/**
 * Outputs without those that are or hold a secret. A secret is an object with Pulumi's signature key
 * (sdk/go/common/resource/sig), in events as in checkpoints.
 */
export function publicOutputs(outputs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(outputs).filter(([, value]) => !holdsSecret(value)));
}

/** Last part of a URN: the name the program gave. */
export function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

const severities: Readonly<Record<string, RunEvent["severity"]>> = {
  info: "info",
  "info#err": "info",
  warning: "warning",
  error: "error",
};

const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return SIGNATURE_KEY in value || Object.values(value).some(holdsSecret);
}
