/**
 * Deployments: what was done to bring a preview to a version or to remove it, kept with what it said. Where the
 * history says what became of a preview, a deployment's log says how it went.
 */
import type { RunEvent, RunOutput } from "../../infra/stacks.ts";

/** Kept of each preview; older ones go. */
export const DEPLOYMENTS_KEPT = 10;

export type DeploymentOutcome = "running" | "done" | "failed" | "interrupted";

/** What people tell apart, in the order in which it usually comes. */
export const STAGES = [
  "queue",
  "source",
  "install",
  "build",
  "database",
  "migrate",
  "seed",
  "services",
  "links",
  "checks",
  "removal",
] as const;
export type DeployStage = (typeof STAGES)[number];

export interface DeployStep {
  readonly stage: DeployStage;
  /** ISO 8601 UTC; both. */
  readonly at: string;
  readonly endedAt?: string;
  readonly failed?: true;
}

export interface Deployment {
  /** Rises over all previews. */
  readonly id: string;
  readonly key: string;
  readonly kind: "up" | "destroy";
  /** Absent for a removal. */
  readonly commit?: string;
  /** Why it was done, in words. */
  readonly cause: string;
  /** ISO 8601 UTC; both. */
  readonly at: string;
  readonly endedAt?: string;
  readonly outcome: DeploymentOutcome;
  /** Of what failed, as the preview's status says it. */
  readonly reason?: string;
  readonly message?: string;
  readonly steps: readonly DeployStep[];
  /** Number of the last line that was written; not all before it may be kept. */
  readonly lines: number;
}

export interface DeployLine {
  /** From 1; where one is missing, lines were left out. */
  readonly n: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** What happens, in our words; the engine's own; what a program printed; what went wrong. */
  readonly kind: "step" | "engine" | "output" | "problem";
  /** The program, where one printed it. */
  readonly source?: string;
  readonly text: string;
}

/** A deployment that is going on. Nothing here is awaited or rejects: the work does not depend on what is told of it. */
export interface DeployLog {
  /** A stage begins, with words; what was going on before it is over. */
  stage(stage: DeployStage, text: string): void;
  say(text: string, kind?: DeployLine["kind"]): void;
  event(event: RunEvent): void;
  output(output: RunOutput): void;
  /** Values that must not show from now on. */
  hide(values: readonly string[]): void;
  end(end: Pick<Deployment, "reason" | "message"> & { readonly outcome: Exclude<DeploymentOutcome, "running"> }): void;
}

export type NewDeployment = Pick<Deployment, "key" | "kind" | "commit" | "cause"> & {
  /** ISO 8601: since when it waited for its turn. */
  readonly queuedAt?: string;
};

export interface DeploymentStore {
  /** Ends what still looks as if it ran, and forgets what is too old. Gives its id. */
  beginDeployment(deployment: Omit<Deployment, "id" | "lines" | "outcome">): Promise<string>;
  /** Adds lines, and takes the place of what was known of it; forgets the batches that begin with these lines. */
  writeDeployment(
    deployment: Pick<Deployment, "id" | "key" | "steps" | "lines" | "outcome" | "endedAt" | "reason" | "message">,
    batch: { readonly lines: readonly DeployLine[]; readonly forget: readonly number[] },
  ): Promise<void>;
  /** Newest first. */
  deployments(key: string): Promise<readonly Deployment[]>;
  deployment(key: string, id: string): Promise<Deployment | undefined>;
  /** In order, from behind line `after`; some of them at a time, and none where there are no more yet. */
  deployLines(id: string, after: number): Promise<readonly DeployLine[]>;
  /** Calls back when any replica wrote of one. */
  onDeployment(listener: (id: string) => void): () => void;
}
