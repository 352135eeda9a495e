import { unlessUnreachable } from "./answers.ts";
import type { ChangedPathsRead, PullRequest } from "./forge.ts";

const MOST_REMEMBERED = 300;

export type Compared = Pick<PullRequest, "number" | "headSha" | "baseRef" | "baseSha">;
export type ReadChangedPaths = (repository: string, pullRequest: Compared) => Promise<ChangedPathsRead>;

/** The same reading, which asks nothing again while head and base are the same; what failed is not remembered. */
export function rememberPaths(readPages: ReadChangedPaths): ReadChangedPaths {
  const known = new Map<string, { readonly state: string; readonly read: ChangedPathsRead }>();
  return (repository, pullRequest) => {
    const { number, headSha, baseRef, baseSha } = pullRequest;
    const id = `${repository} ${number}`;
    const state = `${headSha} ${baseRef} ${baseSha ?? ""}`;
    const before = known.get(id);
    if (before?.state === state) return Promise.resolve(before.read);
    return unlessUnreachable(async () => {
      const read = await readPages(repository, pullRequest);
      known.delete(id);
      if (read.kind !== "unreachable") known.set(id, { state, read });
      const oldest = known.keys().next().value;
      if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
      return read;
    });
  };
}
