/** What a door is: one file a kind, made from what the operator says of it. */
import type { DoorOptions } from "../../config/access-types.ts";
import type { SecretReference } from "../../config/types.ts";
import type { ForgePeople } from "../../forges/people.ts";
import type { ForgeKind } from "./forge-kind.ts";

export type DoorName = keyof DoorOptions;

/** Who stands before a door. */
export interface Visitor {
  /** Empty when it cannot be told. */
  readonly address: string;
  readonly host: string;
  /** Name of the preview's repository in the config. */
  readonly repository: string;
}

export interface Door {
  /** Opens to whom a visitor is, each time anew. */
  readonly opensTo?: (visitor: Visitor) => boolean;
  /** What a pass bears of whom it opened to, and opens to it from then on: another secret, another mark. */
  readonly mark?: () => Promise<string>;
  /** Opens to what a visitor knows. */
  readonly asks?: (given: string, visitor: Visitor) => Promise<Answer>;
  /** Opens to whom somebody else vouches for. */
  readonly signsIn?: SignIn;
}

/** A login elsewhere: there and back again, with what was kept in between. It ends with who came, as far as it tells. */
export interface SignIn<Who = boolean> {
  /** Where, as a person calls it. */
  readonly label: string;
  readonly begin: (
    way: { readonly callback: string; readonly state: string },
    visitor: Visitor,
  ) => Promise<{
    readonly url: string;
    readonly kept: Kept;
  }>;
  /** `answered` is the callback's address as it was called. False or undefined: whoever it is, the door stays shut. */
  readonly finish: (answered: URL, way: Kept & { readonly state: string }, visitor: Visitor) => Promise<Who>;
}

/** Stays with the visitor's browser while it is away. */
export type Kept = Readonly<Record<string, string>>;

export type Answer =
  | { readonly kind: "right" | "wrong" }
  | { readonly kind: "later"; readonly retryAfterSeconds: number };

export interface DoorDeps {
  /** The secret's value now, or shortly ago. */
  readonly secret: (reference: SecretReference) => Promise<string>;
  /** Keyed: tells nothing of what was digested. */
  readonly digest: (text: string) => string;
  /** Where a repository lies whose forge people can log in to; undefined for any other. */
  readonly placeOf: (repository: string) => ForgePlace | undefined;
  /** Of all that there are such places at, as people call it. */
  readonly forgeLabel: string;
}

export interface ForgePlace {
  /** `acme/shop` */
  readonly path: string;
  /** Where people log in, without a slash at the end. */
  readonly webUrl: string;
  readonly apiUrl: string;
  readonly kind: ForgeKind;
  /** What the forge tells of people; undefined while it is not connected. */
  readonly people: () => ForgePeople | undefined;
}

/** A kind of door. */
export type DoorMaker<Name extends DoorName> = (deps: DoorDeps, options: NonNullable<DoorOptions[Name]>) => Door;
