/** Commits of other repositories as the spec has them. Pure. */
import type { PreviewSpec } from "../../infra/spec.ts";
import type { ApplicationConfig } from "../config/application-types.ts";

type Sources = NonNullable<ApplicationConfig["sources"]>;

export function sourcesOf({ sources }: Pick<ApplicationConfig, "sources">): Pick<PreviewSpec, "sources"> {
  if (!sources) return {};
  const copied = Object.entries(sources).map(([alias, source]) => {
    const { cloneUrl: repository, name, number, commit, submodules, lfs, install, build } = source;
    const link = number === undefined ? {} : { number };
    return [alias, { name, ...link, repository, commit, submodules, lfs, install: [...install], build: [...build] }];
  });
  return { sources: Object.fromEntries(copied) };
}

/** As a stranger's are: those name themselves what the operator's credentials would fetch. */
export function withoutSubmodules(sources: Sources): Sources {
  return Object.fromEntries(Object.entries(sources).map(([alias, one]) => [alias, { ...one, submodules: false }]));
}

/** Commits that are kept: of default branches, while nothing else of the preview is asked for anew. */
export function keptCommits(
  live: Pick<PreviewSpec, "source" | "sources" | "generations"> | undefined,
  wished: { readonly commit: string | undefined; readonly deploy: number },
): Readonly<Record<string, string>> {
  if (!live?.sources || live.source.commit !== wished.commit || live.generations.deploy !== wished.deploy) return {};
  const kept = Object.entries(live.sources).filter(([, { number }]) => number === undefined);
  return Object.fromEntries(kept.map(([alias, { commit }]) => [alias, commit]));
}
