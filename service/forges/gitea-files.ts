import { z } from "zod";
import { parseAnswer } from "./answers.ts";
import { commitSha } from "./contents.ts";
import type { ChangedPathsRead } from "./forge.ts";
import type { GiteaClient } from "./gitea-client.ts";
import { giteaPull } from "./gitea-pull.ts";
import { type Compared, type ReadChangedPaths, rememberPaths } from "./known-paths.ts";

/** Of a server that was left as it comes (`[api] MAX_RESPONSE_ITEMS`); one that gives fewer is asked more often. */
export const PAGE_SIZE = 50;
/** Each page makes the server compare everything anew. */
const MOST_FILES = 1_000;

const files = z.array(z.object({ filename: z.string().min(1), previous_filename: z.string().nullish() }));
const ref = z.object({ ref: z.string(), object: z.object({ sha: commitSha }) });
/** Servers differ in whether one that was named whole comes alone. */
const refs = z.union([z.array(ref), ref.transform((one) => [one])]);

/** Names of what a pull request changes, remembered while head and base are the same. */
export function createGiteaPaths({ client }: { client: Pick<GiteaClient, "call"> }): ReadChangedPaths {
  const server = "Gitea";

  const readPages = async (repository: string, { number, headSha }: Compared): Promise<ChangedPathsRead> => {
    // Files are compared by this ref, which the server moves only a while after the branch.
    if ((await headOf(repository, number)) !== headSha) {
      return unreachable(repository, number, `the server compares an older commit than ${headSha.slice(0, 7)} yet`);
    }
    const paths: string[] = [];
    for (let page = 1, seen = 0; ; page++) {
      const action = `listing the files of pull request ${number} of "${repository}", page ${page}`;
      const path = `/pulls/${number}/files?limit=${PAGE_SIZE}&page=${page}`;
      const { data, total } = await client.call({ repository, path, action });
      const found = parseAnswer(files, data, { action, server });
      for (const { filename, previous_filename: previous } of found) {
        paths.push(filename, ...(previous ? [previous] : []));
      }
      seen += found.length;
      if ((total ?? seen) > MOST_FILES) return { kind: "tooMany" };
      if (found.length > 0 && (total === undefined || seen < total)) continue;
      if (total !== undefined && seen < total) return unreachable(repository, number, "a page is empty");
      return seen > 0 ? { kind: "found", paths } : readNone(repository, number);
    }
  };

  const headOf = async (repository: string, number: number): Promise<string | undefined> => {
    const name = `pull/${number}/head`;
    const action = `reading the head of pull request ${number} of "${repository}"`;
    const { data } = await client.call({ repository, path: `/git/refs/${name}`, action });
    return parseAnswer(refs, data, { action, server }).find((found) => found.ref === `refs/${name}`)?.object.sha;
  };

  /** An empty list shows nothing by itself: the pull request has to say the same. */
  const readNone = async (repository: string, number: number): Promise<ChangedPathsRead> => {
    const action = `reading pull request ${number} of "${repository}"`;
    const { data } = await client.call({ repository, path: `/pulls/${number}`, action });
    const { changed_files: count } = parseAnswer(giteaPull, data, { action, server });
    return count === 0 ? { kind: "found", paths: [] } : unreachable(repository, number, "Gitea names none");
  };

  return rememberPaths(readPages);
}

function unreachable(repository: string, number: number, why: string): ChangedPathsRead {
  const message = `listing the files of pull request ${number} of "${repository}": ${why}`;
  return { kind: "unreachable", message };
}
