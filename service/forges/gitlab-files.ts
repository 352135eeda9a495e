import { z } from "zod";
import { parseAnswer } from "./answers.ts";
import type { ChangedPathsRead } from "./forge.ts";
import { type GitlabClient, nextPage } from "./gitlab-client.ts";
import { mergeRequest } from "./gitlab-merge-request.ts";
import { type Compared, type ReadChangedPaths, rememberPaths } from "./known-paths.ts";

const PAGE_SIZE = 100;
/** What GitLab itself shows at most in its default settings (docs, "Diff limits"). */
const MOST_FILES = 1_000;

const diffs = z.array(z.object({ old_path: z.string().min(1), new_path: z.string().min(1) }));

/** Names of what a merge request changes, remembered while head and base are the same. */
export function createGitlabPaths({ client }: { readonly client: Pick<GitlabClient, "call"> }): ReadChangedPaths {
  return rememberPaths(async (repository, { number, headSha }: Compared): Promise<ChangedPathsRead> => {
    const said = (why: string): ChangedPathsRead => ({
      kind: "unreachable",
      message: `listing the files of merge request ${number} of "${repository}": ${why}`,
    });
    const action = `reading merge request ${number} of "${repository}"`;
    const { data } = await client.call({ repository, path: `/merge_requests/${number}`, action });
    const { sha, changes_count: count } = parseAnswer(mergeRequest, data, { action, server: "GitLab" });
    if (sha !== headSha) return said(`the server is at another commit than ${headSha.slice(0, 7)}`);
    // Worked out in the background; until then nothing is said of it.
    if (!count) return said("GitLab has not compared it yet");
    if (!/^\d+$/.test(count) || Number(count) > MOST_FILES) return { kind: "tooMany" };
    const paths = new Set<string>();
    let seen = 0;
    for (let page: number | undefined = 1; page !== undefined; ) {
      const reading = `listing the files of merge request ${number} of "${repository}", page ${page}`;
      const path = `/merge_requests/${number}/diffs?per_page=${PAGE_SIZE}&page=${page}`;
      const answer = await client.call({ repository, path, action: reading });
      const found = parseAnswer(diffs, answer.data, { action: reading, server: "GitLab" });
      for (const { old_path: before, new_path: after } of found) paths.add(before).add(after);
      seen += found.length;
      page = nextPage(answer);
    }
    return seen < Number(count) ? said("a page is missing") : { kind: "found", paths: [...paths] };
  });
}
