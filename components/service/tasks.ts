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
  const about = name === "migrate" ? [source.commit, generation] : [generation];
  return output(database?.identity ?? "none").apply((identity) => [name, identity, ...about].join("/"));
}

/** Everything the services declare, the first one's word first; but no addresses, for nothing is started yet. */
export function taskEnvironment(services: readonly ServiceDefinition[]): Record<string, string> {
  const entries = services.flatMap(({ environment }) =>
    Object.entries(environment).filter(([, value]) => addressesUsed({ environment: { value } }).length === 0),
  );
  return Object.fromEntries(entries.reverse());
}
