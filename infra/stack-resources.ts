/** What a stack consists of, out of its state as the engine wrote it. Pure. */
import { nameOf, publicOutputs } from "./engine-events.ts";

export interface StackResource {
  readonly urn: string;
  /** Type token, such as `stackling:local:Service`. */
  readonly type: string;
  readonly name: string;
  /** URN of what it belongs to. */
  readonly parent?: string;
  /** The vendor's own name for it. */
  readonly id?: string;
  /** Without secrets. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The part of the state that is used here: `apitype.ResourceV3` of Pulumi. */
export interface RawResource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly id?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Waits to be removed: its successor stands beside it. */
  readonly delete?: boolean;
}

/** Parents come before their children, as the engine keeps them. */
export function stackResources(raw: readonly RawResource[] = []): readonly StackResource[] {
  return raw
    .filter((resource) => !resource.delete)
    .map(({ urn, type, parent, id, outputs }) => ({
      urn,
      type,
      name: nameOf(urn),
      ...(parent ? { parent } : {}),
      ...(id ? { id } : {}),
      outputs: publicOutputs(outputs ?? {}),
    }));
}
