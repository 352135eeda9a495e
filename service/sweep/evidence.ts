/** What the forges say of the pull request that a stack's name leads to. No answer and an empty one say nothing. */
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { Forge, PullRequest } from "../forges/forge.ts";
import type { Identities } from "../identities.ts";
import type { Preview } from "../status.ts";
import { refOf } from "../subject.ts";

/**
 * `closed` and `unknown` are evidence once two reads say the same. `unknown`: a whole list of open pull
 * requests names others and not this one, which cannot be read either. All else is `unclear`.
 */
export type Evidence = "open" | "closed" | "unknown" | "unclear";

export interface EvidenceDeps {
  readonly forge: (name: string) => Forge | undefined;
  readonly identities?: Pick<Identities, "isOurs"> | undefined;
  /** Every preview that the store knows and that is not gone. */
  readonly previews: readonly Preview[];
}

/** One read of each; a list is asked for once per repository and reader. */
export function createEvidenceReader({ forge, previews, identities }: EvidenceDeps) {
  const lists = new Map<string, Promise<ReadonlySet<number> | undefined>>();

  const isOurs = async (repository: RepositoryConfig, pullRequest: PullRequest | undefined) =>
    (await identities?.isOurs(repository, pullRequest?.repositoryId)) ?? true;

  /** Numbers of the open pull requests; undefined where the answer is no ground to stand on. */
  async function readList(repository: RepositoryConfig): Promise<ReadonlySet<number> | undefined> {
    const read = await forge(repository.forge)?.list(refOf(repository));
    if (read?.kind !== "found" || read.pullRequests.length === 0) return undefined;
    if (!(await isOurs(repository, read.pullRequests[0]))) return undefined;
    const open = new Set(read.pullRequests.map(({ number }) => number));
    const known = previews.filter(
      ({ repository: name, pullRequest }) => name === repository.name && pullRequest?.state === "open",
    );
    // None of those that were open a moment ago: it may be another repository's list.
    if (known.length > 0 && !known.some(({ number }) => number !== undefined && open.has(number))) return undefined;
    return open;
  }

  return async (repository: RepositoryConfig, number: number): Promise<Evidence> => {
    const list = lists.get(repository.name) ?? readList(repository).catch(() => undefined);
    lists.set(repository.name, list);
    const read = await forge(repository.forge)
      ?.read(refOf(repository), number)
      .catch(() => undefined);
    if (!read) return "unclear";
    if (read.kind === "found") {
      const isIt = read.pullRequest.number === number && (await isOurs(repository, read.pullRequest));
      return isIt ? read.pullRequest.state : "unclear";
    }
    const open = await list;
    if (!open) return "unclear";
    return open.has(number) ? "open" : "unknown";
  };
}
