import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { ChangedPathsRead, PullRequest } from "./forge.ts";
import type { GithubClient } from "./github-client.ts";

const PAGE_SIZE = 100;
/** "Responses include a maximum of 3000 files": REST API, List pull requests files. */
const MOST_PAGES = 30;
const MOST_REMEMBERED = 300;

const files = z.array(z.object({ filename: z.string().min(1), previous_filename: z.string().optional() }));
const counted = z.object({ changed_files: z.int().nonnegative() });

export type ReadChangedPaths = (
  repository: string,
  pullRequest: Pick<PullRequest, "number" | "headSha" | "baseRef" | "baseSha">,
) => Promise<ChangedPathsRead>;

/**
 * Names of what a pull request changes, remembered while head and base are the same. Answers bear
 * every file's patch, so they are not kept for conditional requests.
 */
export function createChangedPaths({ client }: { client: Pick<GithubClient, "call" | "get"> }): ReadChangedPaths {
  const known = new Map<string, { readonly state: string; readonly read: ChangedPathsRead }>();

  const readPages = async (repository: string, number: number): Promise<ChangedPathsRead> => {
    const paths: string[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const action = `listing the files of pull request ${number} of "${repository}", page ${page}`;
      const path = `/pulls/${number}/files?per_page=${PAGE_SIZE}&page=${page}`;
      const parsed = files.safeParse((await client.call({ repository, path, action })).data);
      if (!parsed.success) return unreachable(`${action}: the answer is not GitHub's`);
      for (const { filename, previous_filename: previous } of parsed.data) {
        paths.push(filename, ...(previous === undefined ? [] : [previous]));
      }
      if (parsed.data.length < PAGE_SIZE)
        return paths.length > 0 ? { kind: "found", paths } : readNone(repository, number);
    }
    return { kind: "tooMany" };
  };

  /** An empty list shows nothing by itself: the pull request has to say the same. */
  const readNone = async (repository: string, number: number): Promise<ChangedPathsRead> => {
    const action = `reading pull request ${number} of "${repository}"`;
    const parsed = counted.safeParse((await client.get({ repository, path: `/pulls/${number}`, action })).data);
    if (parsed.success && parsed.data.changed_files === 0) return { kind: "found", paths: [] };
    return unreachable(`listing the files of pull request ${number} of "${repository}": GitHub names none`);
  };

  return async (repository, { number, headSha, baseRef, baseSha }) => {
    const id = `${repository} ${number}`;
    const state = `${headSha} ${baseRef} ${baseSha ?? ""}`;
    const before = known.get(id);
    if (before?.state === state) return before.read;
    try {
      const read = await readPages(repository, number);
      known.delete(id);
      if (read.kind !== "unreachable") known.set(id, { state, read });
      const oldest = known.keys().next().value;
      if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
      return read;
    } catch (error) {
      if (error instanceof StacklingError) return unreachable(error.userMessage);
      throw error;
    }
  };
}

function unreachable(message: string): ChangedPathsRead {
  return { kind: "unreachable", message };
}
