/** What a door is: one file a kind, made from what the operator says of it. */
import type { DoorOptions, SecretReference } from "../../config/types.ts";

export type DoorName = keyof DoorOptions;

/** Who stands before a door. */
export interface Visitor {
  /** Empty when it cannot be told. */
  readonly address: string;
  readonly host: string;
}

export interface Door {
  /** Opens to whom a visitor is, each time anew. */
  readonly opensTo?: (visitor: Visitor) => boolean;
  /** Opens to what a visitor knows, and then to the pass that bears this mark: another secret, another mark. */
  readonly asks?: {
    readonly mark: () => Promise<string>;
    readonly answer: (given: string, visitor: Visitor) => Promise<Answer>;
  };
}

export type Answer =
  | { readonly kind: "right" | "wrong" }
  | { readonly kind: "later"; readonly retryAfterSeconds: number };

export interface DoorDeps {
  /** The secret's value now, or shortly ago. */
  readonly secret: (reference: SecretReference) => Promise<string>;
  /** Keyed: tells nothing of what was digested. */
  readonly digest: (text: string) => string;
}

/** A kind of door. */
export type DoorMaker<Name extends DoorName> = (deps: DoorDeps, options: NonNullable<DoorOptions[Name]>) => Door;
