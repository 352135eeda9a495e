import { execa } from "execa";
import type { TestRepository } from "./git-repository.ts";

export type ApiCall = (
  method: string,
  path: string,
  options?: { readonly body?: unknown; readonly token?: string },
) => Promise<unknown>;

export type Mirror = (place: { repository: string; token: string }, gitBranch: string, sha: string) => Promise<void>;

/**
 * Copies commits of a real repository into the emulator through GitHub's git database API. The
 * emulator computes ids as git does, so a commit bears the same id in both.
 */
export function createMirror(source: TestRepository, call: ApiCall): Mirror {
  const copied = new Set<string>();

  const copyTree = async (api: { repository: string; token: string }, commit: string) => {
    const listing = await source.git("ls-tree", "-r", "-z", commit);
    const tree: { path: string; mode: string; type: string; sha: string }[] = [];
    for (const line of listing.split("\0").filter(Boolean)) {
      const [meta = "", path = ""] = line.split("\t");
      const [mode = "", type = "", sha = ""] = meta.split(" ");
      tree.push({ path, mode, type, sha });
      if (type !== "blob" || copied.has(`${api.repository} ${sha}`)) continue;
      const blob = await execa("git", ["-C", source.path, "cat-file", "blob", sha], {
        encoding: "buffer",
        stripFinalNewline: false,
      });
      const content = Buffer.from(blob.stdout).toString("base64");
      const body = { content, encoding: "base64" };
      const made = (await call("POST", `/repos/${api.repository}/git/blobs`, { body, token: api.token })) as Made;
      expectSame(made.sha, sha, path);
      copied.add(`${api.repository} ${sha}`);
    }
    const made = await call("POST", `/repos/${api.repository}/git/trees`, { body: { tree }, token: api.token });
    return (made as Made).sha;
  };

  const copyCommit = async (api: { repository: string; token: string }, sha: string) => {
    const fields = await source.git("log", "-1", "--format=%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B", sha);
    const [parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", message = ""] = fields.split("\0");
    const body = {
      message: message.trimEnd(),
      tree: await copyTree(api, sha),
      parents: parents.split(" ").filter(Boolean),
      author: { name: an, email: ae, date: ad },
      committer: { name: cn, email: ce, date: cd },
    };
    const made = (await call("POST", `/repos/${api.repository}/git/commits`, { body, token: api.token })) as Made;
    expectSame(made.sha, sha, "commit");
    copied.add(`${api.repository} ${sha}`);
  };

  return async (place, gitBranch, sha) => {
    const commits = await source.git("rev-list", "--reverse", "--topo-order", sha);
    for (const commit of commits.split("\n")) {
      if (!copied.has(`${place.repository} ${commit}`)) await copyCommit(place, commit);
    }
    const encoded = gitBranch.split("/").map(encodeURIComponent).join("/");
    const body = { sha, force: true };
    const path = `/repos/${place.repository}/git/refs`;
    await call("PATCH", `${path}/heads/${encoded}`, { body, token: place.token }).catch(() =>
      call("POST", path, { body: { sha, ref: `refs/heads/${gitBranch}` }, token: place.token }),
    );
  };
}

interface Made {
  readonly sha: string;
}

function expectSame(made: string, wanted: string, what: string): void {
  if (made !== wanted) throw new Error(`the emulator made ${made} of ${what} ${wanted}`);
}
