/** Notices that `preview.yaml` of a base branch changed, which no pull request tells. */
import { FILE } from "./application-read.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { Forge } from "./forges/forge.ts";
import type { Preview } from "./status.ts";
import { refOf } from "./subject.ts";

/**
 * The result names the previews whose base has another `preview.yaml` than at the call before, and
 * those that wait for theirs to be mended. A base that cannot be read is left for the next time.
 */
export function createBaseFiles() {
  const seen = new Map<string, string | undefined>();

  return async (forge: Forge, repository: RepositoryConfig, previews: readonly Preview[]): Promise<string[]> => {
    const open = previews.filter(({ pullRequest }) => pullRequest?.state === "open");
    const bases = new Set(open.flatMap(({ pullRequest }) => (pullRequest ? [pullRequest.baseRef] : [])));
    const changed = new Set<string>();
    for (const base of bases) {
      const id = `${repository.name} ${base}`;
      try {
        const text = await forge.readFile(refOf(repository), base, FILE);
        if (seen.has(id) && seen.get(id) !== text) changed.add(base);
        seen.set(id, text);
      } catch {}
    }
    const isAsked = ({ pullRequest, status }: Preview) =>
      status.reason === "SpecInvalid" || changed.has(pullRequest?.baseRef ?? "");
    return open.filter(isAsked).map(({ key }) => key);
  };
}
