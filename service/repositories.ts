/** Repositories of the config and those that `up PATH` registered, as one list. */

import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { Store } from "./store/store.ts";

export interface Repositories {
  /** Those of the config first; one that was registered under a configured name is left out. */
  all(): Promise<readonly RepositoryConfig[]>;
  find(name: string): Promise<RepositoryConfig | undefined>;
}

export function createRepositories({
  config,
  store,
}: {
  readonly config: Pick<OperatorConfig, "repositories">;
  readonly store: Pick<Store, "repositories">;
}): Repositories {
  const configured = new Map(config.repositories.map((repository) => [repository.name, repository]));
  const registered = async () => (await store.repositories()).filter(({ name }) => !configured.has(name));
  return {
    all: async () => [...configured.values(), ...(await registered())],
    find: async (name) => configured.get(name) ?? (await registered()).find((repository) => repository.name === name),
  };
}
