/** Commits of other repositories in a preview, for its components. Pure. */
import type { LinkedSource } from "../components/ports.ts";
import type { PreviewSpec } from "./spec.ts";
import { telemetryOf } from "./telemetry.ts";

/** What runs of them is told their own commit, so that a push to one repository starts nothing of another anew. */
export function linkedSources(
  spec: Pick<PreviewSpec, "key" | "repository" | "number"> & { readonly sources: NonNullable<PreviewSpec["sources"]> },
): Readonly<Record<string, LinkedSource>> {
  const linked = Object.entries(spec.sources).map(([name, { name: repository, number: _link, ...source }]) => [
    name,
    {
      ...source,
      environment: { STACKLING_COMMIT: source.commit, ...telemetryOf(spec, { repository, commit: source.commit }) },
    },
  ]);
  return Object.fromEntries(linked);
}

/** Every commit that runs in it, its own first. */
export function commitsOf({ source, sources = {} }: Pick<PreviewSpec, "source" | "sources">): readonly string[] {
  return [source.commit, ...Object.values(sources).map(({ commit }) => commit)];
}

/** Where those are fetched from. */
export function repositoriesOf({ source, sources = {} }: Pick<PreviewSpec, "source" | "sources">): readonly string[] {
  return [source.repository, ...Object.values(sources).map(({ repository }) => repository)];
}
