import { z } from "zod";
import type { ChangedPathsRead } from "./forge.ts";
import type { GithubClient } from "./github-client.ts";
import { type ReadChangedPaths, rememberPaths } from "./known-paths.ts";

const PAGE_SIZE = 100;
/** "Responses include a maximum of 3000 files": REST API, List pull requests files. */
const MOST_PAGES = 30;

const files = z.array(z.object({ filename: z.string().min(1), previous_filename: z.string().optional() }));
const counted = z.object({ changed_files: z.int().nonnegative() });

/**
 * Names of what a pull request changes, remembered while head and base are the same. Answers bear
 * every file's patch, so they are not kept for conditional requests.
 */
export function createChangedPaths({ client }: { client: Pick<GithubClient, "call" | "get"> }): ReadChangedPaths {
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

  return rememberPaths((repository, { number }) => readPages(repository, number));
}

function unreachable(message: string): ChangedPathsRead {
  return { kind: "unreachable", message };
}
