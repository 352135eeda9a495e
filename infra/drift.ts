/** What a refresh that changes nothing says about the world, in words. Pure. */
import { type EngineEvent, nameOf } from "./engine-events.ts";
import type { Difference } from "./stacks.ts";

/** The difference that one event of `refresh --preview-only` tells; undefined for all that is as it should be. */
export function differenceOf(event: EngineEvent): Difference | undefined {
  const metadata = event.resOutputsEvent?.metadata;
  if (!metadata) return undefined;
  const { op, urn, type, old, detailedDiff, diffs } = metadata;
  if (op !== "delete" && op !== "update") return undefined;
  const name = nameOf(urn);
  const subject = `${words(type)} "${old?.id || name}"`;
  const known = { urn, type, name, ...(old?.id ? { id: old.id } : {}) };
  if (op === "delete") return { ...known, kind: "missing", message: `${subject} is missing` };
  const changed = Object.keys(detailedDiff ?? {}).length > 0 ? Object.keys(detailedDiff ?? {}) : (diffs ?? []);
  const what = changed.length > 0 ? ` (${changed.join(", ")})` : "";
  return { ...known, kind: "changed", message: `${subject} was changed${what}` };
}

/** `stackling:local:DatabaseRole` → `database role` */
function words(type: string): string {
  const last = type.slice(type.lastIndexOf(":") + 1);
  return last.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase();
}
