/** What persons asked for of one preview. Pure types. */
import type { PreviewSpec } from "../infra/spec.ts";
import type { RolledBack } from "./rollback.ts";
import type { SeedWish } from "./scenarios.ts";
import type { Promoted, Promotion } from "./stages/promotion.ts";

/** The one-shot wishes, as levels. */
export type Generations = PreviewSpec["generations"];

/** What persons asked for; survives in the store and, through the spec, in the stack's outputs. */
export interface Intents {
  readonly generations: Generations;
  /** A preview by hand exists while this is set; also `down` on a pull request's preview until its next push. */
  readonly removed?: {
    readonly at: string;
    readonly headSha?: string;
    readonly by: string;
    /** Of one that expired: the sentence that says why. */
    readonly evidence?: string;
  };
  /** Ref of a preview by hand, registered until `down`. */
  readonly gitRef?: string;
  readonly keep: boolean;
  /** With `onPush: reset`: the commit that the database's generation stands for. */
  readonly databaseFor?: string;
  /** Of a pull request that is not trusted: the one commit that may run, and on whose word. */
  readonly approved?: Approval;
  /** Where a rule asks for approvals: what persons said to us, over several commits. Reviews are the forge's to tell. */
  readonly approvals?: readonly Approval[];
  /** ISO 8601; the hard stop it was extended to. */
  readonly extendedTo?: string;
  /** ISO 8601 of the last `extend`: renews idleness as a visit does, and wakes nothing. */
  readonly renewedAt?: string;
  /** ISO 8601; hard stop and idleness count from here where it is later: the store was lost, or it is kept no more. */
  readonly clocksFrom?: string;
  /** Asked for by a person; undone by a visit or push. */
  readonly asleep: boolean;
  /** ISO 8601 of that wish: a later visit or push undoes it. */
  readonly asleepSince?: string;
  /** Feature flags that a person set, name to what was said: before any label's word. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly seeds?: SeedWish;
  /** Another commit than the head, on a person's word; a push undoes it. */
  readonly rolledBack?: RolledBack;
  /** Of a stage that is promoted to: what it was given last, */
  readonly promoted?: Promoted;
  /** and what waits for approvals or its time. */
  readonly promotion?: Promotion;
  /** Of a pull request's preview: which of its comments were handled, so that each counts once. */
  readonly commands?: CommandsHandled;
  /** Id of the delivery by which its check was last asked for again, so that each counts once. */
  readonly rerun?: string;
}

export interface Approval {
  /** The whole id of the commit. */
  readonly sha: string;
  /** `@login` in a comment, else `api` or `page`. */
  readonly by: string;
  /** ISO 8601 UTC */
  readonly at: string;
  /** Heads of the pull requests that it is previewed with, by their keys. */
  readonly linked?: Readonly<Record<string, string>>;
}

/** Slash commands, as far as they were handled; written together with what they change. */
export interface CommandsHandled {
  /** ISO 8601; comments made before it are not commands: they may have been carried out in an earlier life of the store. */
  readonly since: string;
  /** The newest comment that was handled: its id, and when it was made. */
  readonly last?: { readonly id: number; readonly at: string };
  /** The last few, oldest first, to be shown. */
  readonly answers?: readonly CommandAnswer[];
  /** Reactions that the forge was not told yet. */
  readonly receipts?: readonly { readonly comment: number; readonly outcome: CommandOutcome }[];
}

/** Carried out; not understood or not possible; not allowed. */
export type CommandOutcome = "done" | "confused" | "refused";

export interface CommandAnswer {
  /** ISO 8601 */
  readonly at: string;
  /** What stood behind `/preview`, as far as it was understood. */
  readonly said: string;
  /** Login of who asked. */
  readonly by: string;
  readonly outcome: CommandOutcome;
  /** The rest of a sentence, without its full stop. */
  readonly answer: string;
  /** What was asked to be shown; of the newest such answer alone. */
  readonly lines?: readonly string[];
}

const NO_GENERATIONS: Generations = { deploy: 0, database: 0, seed: 0, secrets: 0 };

export const NO_INTENTS: Intents = { generations: NO_GENERATIONS, keep: false, asleep: false };
