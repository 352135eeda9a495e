/** What `/readyz` and `doctor` ask: store, previews' databases, state backend, disk, forges and engine, each no more often than it is worth. */
import { StacklingError } from "../components/errors.ts";
import { type Engine, requireEngine } from "../infra/engine.ts";
import type { ReadinessChecks } from "./api/health.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { Forge } from "./forges/forge.ts";
import type { Ground } from "./ground.ts";
import { remembering } from "./remembering.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import type { World } from "./world.ts";

/** A forge that answered is not asked again for so long; one that did not, sooner. */
const FORGE_FRESH_MS = { good: 30_000, bad: 3_000 };
/** The same of the databases' servers, which may be a vendor's API. */
const DATABASES_FRESH_MS = { good: 5_000, bad: 1_000 };
/** Repositories of a forge that are tried until one answers. */
const REPOSITORIES_TRIED = 3;

export interface ReadinessDeps {
  readonly store: Pick<Store, "ping">;
  readonly world: Pick<World, "check">;
  readonly engine: Engine;
  readonly ground: Ground;
  readonly forges: ReadonlyMap<string, Forge>;
  /** Those of the config; what `up PATH` registers is no part of being ready. */
  readonly repositories: readonly RepositoryConfig[];
}

/** One check by name for each part; forges on this machine need none. */
export function createReadinessChecks(deps: ReadinessDeps): ReadinessChecks {
  const { store, world, engine, ground, forges, repositories } = deps;
  const names = new Set(repositories.map(({ forge }) => forge));
  const remote = [...names].flatMap((name) => {
    const forge = forges.get(name);
    if (!forge || forge.name === "local") return [];
    const own = repositories.filter((repository) => repository.forge === name).slice(0, REPOSITORIES_TRIED);
    return [[`forge:${name}`, remembering(FORGE_FRESH_MS, () => anyAnswers(forge, own))] as const];
  });
  return {
    store: store.ping,
    previews: remembering(DATABASES_FRESH_MS, () => requireDatabases(world)),
    backend: ground.backend,
    disk: ground.disk,
    engine: () => requireEngine(engine),
    ...Object.fromEntries(remote),
  };
}

async function requireDatabases(world: Pick<World, "check">): Promise<void> {
  const broken = (await world.check("database")).find(({ ok }) => !ok);
  if (broken) throw new StacklingError({ reason: "DatabaseFailed", userMessage: broken.what });
}

async function anyAnswers(forge: Forge, repositories: readonly RepositoryConfig[]): Promise<void> {
  let last: unknown;
  for (const repository of repositories) {
    try {
      await forge.defaultBranch(refOf(repository));
      return;
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
