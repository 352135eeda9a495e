/** What a migration or seed is run for and with, the same for every driver. */
import { type Output, output } from "@pulumi/pulumi";
import type { ServiceArgs, ServiceDefinition, TaskDefinition } from "../ports.ts";
import { addressesUsed } from "./references.ts";

/**
 * Changes exactly when the task must run again: a migration belongs to database, commit and
 * generation; a seed to database and generation, so that a push does not undo what people typed in.
 */
export function taskKey(
  { database, source }: Pick<ServiceArgs, "database" | "source">,
  { name, generation }: Pick<TaskDefinition, "name" | "generation">,
): Output<string> {
  const about = name === "seed" ? [generation] : [source.commit, generation];
  return output(database?.identity ?? "none").apply((identity) => [name, identity, ...about].join("/"));
}

/**
 * Everything the services of the preview's own repository declare, the first one's word first; but no addresses, for
 * nothing is started yet.
 */
export function taskEnvironment(
  services: readonly ServiceDefinition[],
  task?: Pick<TaskDefinition, "environment">,
): Record<string, string> {
  const entries = services.flatMap(({ environment, source }) =>
    source === undefined
      ? Object.entries(environment).filter(([, value]) => addressesUsed({ environment: { value } }).length === 0)
      : [],
  );
  return { ...Object.fromEntries(entries.reverse()), ...task?.environment };
}

/** True for what runs once all services serve. */
export function isGate({ name }: Pick<TaskDefinition, "name">): boolean {
  return name === "gate";
}

/** Reason and words of a task that failed. */
export function taskWords(name: TaskDefinition["name"]): TaskWords {
  return TASK_WORDS[name];
}

interface TaskWords {
  readonly reason: string;
  readonly doing: string;
  /** Before its command. */
  readonly with: string;
}

const TASK_WORDS: Readonly<Record<TaskDefinition["name"], TaskWords>> = {
  migrate: { reason: "MigrationFailed", doing: "migrating the database", with: "migrating with" },
  seed: { reason: "SeedFailed", doing: "seeding the database", with: "seeding with" },
  gate: { reason: "GateFailed", doing: "running the gate", with: "running the gate" },
};
