/** A repository's stage: what of its repository and of preview.yaml it has in place of what previews have. Pure. */
import { formatKey, parseKey } from "../../infra/names.ts";
import type { ApplicationConfig } from "../config/application-types.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { StageConfig } from "../config/stages.ts";

/**
 * The repository as the preview of that key has it: for a stage with the stage's own target, secrets, times and rules
 * (and `stage` itself); undefined for a stage that the config does not name (any more).
 */
export function repositoryFor(repository: RepositoryConfig | undefined, key: string): RepositoryConfig | undefined {
  const parsed = parseKey(key);
  if (!repository || !parsed || !("stage" in parsed)) return repository;
  const { stages = {} } = repository;
  const stage = Object.hasOwn(stages, parsed.stage) ? stages[parsed.stage] : undefined;
  return stage && asStage(repository, stage);
}

/** As `repositoryFor`, for a stage at hand. */
export function asStage(
  {
    baseline: _copied,
    baselines: _chosen,
    untrusted: _strangers,
    limits: _caps,
    headMayChange: _heads,
    oauthRelay: _relayed,
    application,
    ...repository
  }: RepositoryConfig,
  stage: StageConfig,
): RepositoryConfig {
  const { target, secrets, baseline, sleepAfterSeconds, access, banner, egress, drift } = stage;
  return {
    ...repository,
    ...(application ? { application: applicationFor(application, stage) } : {}),
    target,
    secrets,
    tags: { ...repository.tags, stage: stage.name },
    // It has no ends, and wakes and sleeps only as it says itself.
    lifecycle: sleepAfterSeconds === undefined ? {} : { sleepAfterSeconds },
    ...(baseline === undefined ? {} : { baseline }),
    ...(access ? { access } : {}),
    ...(banner === undefined ? {} : { banner }),
    ...(egress ? { egress } : {}),
    ...(drift ? { drift } : {}),
    stage,
  };
}

/**
 * What preview.yaml says, as far as it is for more than previews: a stage's database is made once and stays, is not
 * seeded unless the operator says so, and nobody is let in as a user of seeds that are not there.
 */
export function applicationFor(application: ApplicationConfig, { seed, onFailure }: StageConfig): ApplicationConfig {
  const { database, login, checks, ...others } = application;
  const rest = { ...others, ...(checks ? { checks: { ...checks, onFailure } } : {}) };
  if (!database) return seed && login ? { ...rest, login } : rest;
  const { from: _copied, onPush: _reset, seed: step, scenario, scenarios, ...kept } = database;
  const seeds = { ...(step ? { seed: step } : {}), ...(scenarios ? { scenarios } : {}) };
  const chosen = scenario === undefined ? {} : { scenario };
  return {
    ...rest,
    ...(seed && login ? { login } : {}),
    database: { ...kept, ...(seed ? { ...seeds, ...chosen } : {}) },
  };
}

/** Git branch that the first stage on the way to it follows. */
export function branchOf({ stages = {} }: Pick<RepositoryConfig, "stages">, stage: StageConfig): string {
  // The config holds no circle.
  const before = stage.from !== undefined && Object.hasOwn(stages, stage.from) ? stages[stage.from] : undefined;
  return before ? branchOf({ stages }, before) : (stage.branch ?? "");
}

/** Keys of every stage that the config names, or of those that follow a git branch. */
export function stageKeys(repositories: readonly RepositoryConfig[], gitBranch?: string): readonly string[] {
  return repositories.flatMap(({ name, stages }) =>
    Object.values(stages ?? {})
      .filter(({ branch }) => gitBranch === undefined || branch === gitBranch)
      .map((stage) => formatKey({ repository: name, stage: stage.name })),
  );
}
