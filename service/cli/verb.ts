import type { CliContext, GlobalOptions } from "./context.ts";

/** One verb of the command line. */
export interface Verb {
  /** For verbs of two words: the first, with what it is about. */
  readonly parent?: readonly [name: string, description: string];
  /** As commander reads it: `show <key>`. */
  readonly usage: string;
  readonly description: string;
  readonly options?: readonly (readonly [flags: string, description: string, fallback?: string])[];
  /** Lazy, so that `ls` does not pay for the engine. */
  readonly load: () => Promise<RunVerb>;
}

export interface VerbCall {
  readonly args: readonly string[];
  /** As commander parsed them; each verb narrows its own. */
  readonly options: GlobalOptions & Readonly<Record<string, string | boolean | undefined>>;
  readonly context: CliContext;
}

/** Resolves with the exit code. */
export type RunVerb = (call: VerbCall) => Promise<number>;
