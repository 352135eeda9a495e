import type { ThingKind } from "./report.ts";

/** One thing of ours in the world. */
export interface Thing {
  readonly kind: ThingKind;
  /** As its own world names it. */
  readonly id: string;
  /** Of the preview it is of. */
  readonly stack?: string;
  /** Release or checkout it is or works for; one that the stack's state does not hold is nobody's. */
  readonly part?: string;
  /** Why it is nobody's whatever becomes of its preview. */
  readonly dead?: string;
}
