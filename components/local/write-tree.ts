/** Writes a commit's files into an empty folder, without a `.git`. */
import { mkdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { TerminalError } from "../errors.ts";
import type { SourceDefinition } from "../ports.ts";
import { GitError, type GitOptions, git } from "./git.ts";
import { layout } from "./layout.ts";
import { submodulesOf } from "./submodules.ts";
import { type CheckoutLimits, countTrees, type TreeCount } from "./tree-size.ts";

export interface TreeRequest {
  readonly dataDir: string;
  readonly source: Pick<SourceDefinition, "repository" | "commit" | "submodules" | "lfs">;
  /** Absolute path of an empty folder. */
  readonly path: string;
  /** Of the commit with its submodules. */
  readonly limits?: CheckoutLimits;
  readonly signal: AbortSignal;
}

const LFS_FILTER = [
  "-c",
  "filter.lfs.smudge=git-lfs smudge -- %f",
  "-c",
  "filter.lfs.process=git-lfs filter-process",
  "-c",
  "filter.lfs.required=true",
];

/** Throws `TerminalError` (`CheckoutFailed`) with git's words. Mirrors of submodules must be there. */
export async function writeTree(request: TreeRequest): Promise<void> {
  try {
    await write(request, `${request.path}.index`, countTrees(request.limits));
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const { repository, commit } = request.source;
    throw new TerminalError({
      reason: "CheckoutFailed",
      userMessage: `checking out ${commit.slice(0, 12)} of "${repository}": git failed`,
      excerpt: error.lines,
    });
  }
}

/** The index lies beside the whole tree and never in it, where a link of that name would lead git anywhere. */
async function write(request: TreeRequest, index: string, count: TreeCount): Promise<void> {
  const { dataDir, source, path, signal } = request;
  const { repository, commit, lfs } = source;
  const mirror = layout(dataDir).mirror(repository);
  const options: GitOptions = { dataDir, signal, environment: { GIT_INDEX_FILE: index } };
  await count({ mirror, repository, commit }, { dataDir, signal });
  try {
    const place = ["--git-dir", mirror, "--work-tree", path];
    // `read-tree -u` looks attributes up in the index, so that line endings and LFS come out right.
    await git(
      [...place, "-c", "core.bare=false", ...(lfs ? LFS_FILTER : []), "read-tree", "--reset", "-u", commit],
      options,
    );
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
  if (!source.submodules) return;
  for (const module of await submodulesOf({ mirror, repository, commit }, { dataDir, signal })) {
    const target = join(path, module.path);
    await mkdir(target, { recursive: true });
    if ((await realpath(target)) !== join(await realpath(path), module.path)) {
      throw new GitError(`submodule ${JSON.stringify(module.path)} lies behind a symbolic link`);
    }
    const inner = { ...source, repository: module.repository, commit: module.commit };
    await write({ ...request, source: inner, path: target }, index, count);
  }
}
