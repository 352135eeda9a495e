/** Commands of a preview that run once; part of the port `service`. */

/** A command that must succeed: migrations and seeds before any service gets traffic, a gate once all of them serve. */
export interface TaskDefinition {
  readonly name: "migrate" | "seed" | "gate";
  readonly command: string;
  readonly directory: string;
  /** Pinned image it runs in, for drivers that run images. */
  readonly image?: string;
  /** Raised to run it once more on the same database and commit. */
  readonly generation: number;
  /** Further variables; of a gate alone, with references to addresses too. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds that it may take; absent: as long as the driver lets a migration run. */
  readonly timeoutSeconds?: number;
}
