/** What the events of one run have told so far. */
import { differenceOf } from "./drift.ts";
import { type EngineEvent, stackOutputs, toRunEvent, violationOf } from "./engine-events.ts";
import type { Difference, RunEvent } from "./stacks.ts";

export interface EventRecord {
  onEvent(event: EngineEvent): void;
  outputs(): Readonly<Record<string, unknown>>;
  changes(): Readonly<Record<string, number>>;
  removed(): readonly string[];
  differences(): readonly Difference[];
  errors(): readonly string[];
  /** Of mandatory policies, in words. */
  violations(): readonly string[];
}

export function recordEvents(tell: (event: RunEvent) => void, activity: { touch(): void }): EventRecord {
  let outputs: Readonly<Record<string, unknown>> = {};
  let changes: Readonly<Record<string, number>> = {};
  const removed: string[] = [];
  const differences: Difference[] = [];
  const errors: string[] = [];
  const violations: string[] = [];
  return {
    onEvent: (event) => {
      activity.touch();
      outputs = stackOutputs(event) ?? outputs;
      changes = event.summaryEvent?.resourceChanges ?? changes;
      const metadata = event.resOutputsEvent?.metadata;
      if (metadata?.op === "delete") removed.push(metadata.urn);
      const difference = differenceOf(event);
      if (difference) differences.push(difference);
      const violation = violationOf(event);
      if (violation) violations.push(violation);
      const told = toRunEvent(event);
      if (told?.severity === "error" && told.message) errors.push(told.message);
      if (told) tell(told);
    },
    outputs: () => outputs,
    changes: () => changes,
    removed: () => removed,
    differences: () => differences,
    errors: () => errors,
    violations: () => violations,
  };
}
