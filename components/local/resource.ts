/**
 * One resource type of the local provider. `provider.ts` speaks Pulumi's protocol and dispatches to
 * these; each lives in one file and knows only the world it manages.
 */
import type { CheckoutLimits } from "./tree-size.ts";

export interface LocalSettings {
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** URL of the preview databases' server with the right to create databases and roles; absent when no database is used. */
  readonly adminUrl?: string;
  /** How much of a commit is checked out at most; absent: as `CHECKOUT_LIMITS`. */
  readonly checkout?: CheckoutLimits;
}

export interface ResourceContext {
  readonly settings: LocalSettings;
  /** Stack of the resource, from its URN. */
  readonly stack: string;
  /** Throws `ConflictError` when a later holder's fence was seen; called before every side effect. */
  admit(): Promise<void>;
  /** Aborts when the engine asks the provider to cancel. */
  readonly signal: AbortSignal;
  /** Shown as a diagnostic of the resource. */
  log(message: string): void;
  /** Lines that a program of `source` (`build`, `migrate`, a service) printed, redacted; absent where nobody watches. */
  readonly output?: (source: string, lines: readonly string[]) => void;
}

export interface LocalDiff {
  readonly changes: boolean;
  /** Input names whose change needs a new resource. */
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace?: boolean;
}

/** `I`: checked inputs; `S`: state kept by the engine, inputs included. Both plain JSON. */
export interface LocalResource<I, S extends object> {
  /** `stackling:local:Name` */
  readonly type: string;
  diff(state: S, inputs: I): LocalDiff;
  /** Adopts what bears its fixed name and our marker; removes what it half made when it fails. */
  create(context: ResourceContext, inputs: I, name: string): Promise<{ readonly id: string; readonly state: S }>;
  /**
   * The engine's state holds this one: told before it is compared, so that a create can tell what an
   * older version still serves from what a run left behind that died before it could say so.
   */
  confirm?(context: ResourceContext, id: string, state: S): Promise<void>;
  /** False where what the state knows can be used no more, though nobody changed a wish: it is made anew. */
  lives?(id: string, state: S): Promise<boolean>;
  /** Undefined when it is gone from the world, which refresh shows as drift. */
  read(context: ResourceContext, id: string, state: S): Promise<S | undefined>;
  update?(context: ResourceContext, id: string, state: S, inputs: I): Promise<S>;
  /** Gone already is success. */
  delete(context: ResourceContext, id: string, state: S): Promise<void>;
}
