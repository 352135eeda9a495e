/** What a sweep came to, as it is stored, answered and shown. */

/** Something of ours that no preview owns. */
export interface Stray {
  readonly stack: string;
  /** Of the preview it would be; undefined where its name does not tell. */
  readonly key?: string;
  /** True where the backend holds a stack of that name. */
  readonly hasStack: boolean;
  /** What bears our tags with that stack's name. */
  readonly things: readonly { readonly kind: string; readonly id: string }[];
  /** Why it belongs to nothing, in one sentence. */
  readonly why: string;
  /** True where nothing proves that it may go: `sweep --confirm` removes it and no sweep by itself. */
  readonly needsConfirmation: boolean;
}

export interface SweepReport {
  /** ISO 8601 of its start. */
  readonly at: string;
  /** True when it was only to name what it would do. */
  readonly dryRun: boolean;
  readonly found: readonly Stray[];
  /** Stacks of those that are gone now. */
  readonly removed: readonly string[];
  /** Those that would not go; each is tried again by the next sweep. */
  readonly failed: readonly { readonly stack: string; readonly message: string }[];
  /** What could not be listed, and so was not swept. */
  readonly unread: readonly string[];
}
