import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";

export interface TestRepository {
  /** The working folder; its `.git` lies inside, or it is bare itself. */
  readonly path: string;
  /** Writes files on a git branch (made from the default branch when new) and commits; returns the commit. */
  commit(gitBranch: string, files: Readonly<Record<string, string | undefined>>, message?: string): Promise<string>;
  deleteBranch(gitBranch: string): Promise<void>;
  head(gitBranch: string): Promise<string>;
  git(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

const IDENTITY = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};

/**
 * A real git repository with one commit on `main`, in a folder of its own under the system's temp
 * folder. With `bare`, `path` is a bare repository, filled through a work folder beside it.
 */
export async function createRepository({
  files,
  bare = false,
}: {
  files: Readonly<Record<string, string>>;
  bare?: boolean;
}): Promise<TestRepository> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "stackling-repository-")));
  await chmod(root, 0o755);
  const work = join(root, "work");
  const path = bare ? join(root, "bare.git") : work;
  await mkdir(work);
  const git = async (...args: readonly string[]) => {
    const result = await execa("git", ["-C", work, ...args], { env: IDENTITY });
    return result.stdout;
  };
  await git("init", "--quiet", "--initial-branch=main");
  let published = false;
  const publish = async (...refs: readonly string[]) => {
    if (published) await git("push", "--quiet", "--force", path, ...refs);
  };

  // Tests side by side share the one working folder.
  let before: Promise<unknown> = Promise.resolve();
  const commit: TestRepository["commit"] = (...change) => {
    const made = before.then(() => makeCommit(...change));
    before = made.catch(() => undefined);
    return made;
  };
  const makeCommit: TestRepository["commit"] = async (gitBranch, changes, message = `Change ${gitBranch}`) => {
    const ref = `refs/heads/${gitBranch}`;
    const exists = await git("rev-parse", "--quiet", "--verify", ref).then(
      () => true,
      () => false,
    );
    const unborn = (await git("for-each-ref", "--count=1")) === "";
    // Detached, so that names that look like options, and the branch checked out, need no care.
    if (!unborn) await git("checkout", "--quiet", "--detach", exists ? ref : "refs/heads/main");
    await writeFiles(work, changes);
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "-m", message);
    const sha = await git("rev-parse", "HEAD");
    await git("update-ref", ref, sha);
    await git("symbolic-ref", "HEAD", "refs/heads/main");
    await git("reset", "--quiet", "--hard");
    await publish(`${ref}:${ref}`);
    return sha;
  };

  await commit("main", files, "Begin");
  if (bare) {
    await git("clone", "--quiet", "--bare", work, path);
    published = true;
  }
  return {
    path,
    commit,
    deleteBranch: async (gitBranch) => {
      await git("update-ref", "-d", `refs/heads/${gitBranch}`);
      await publish(`:refs/heads/${gitBranch}`);
    },
    head: (gitBranch) => git("rev-parse", `refs/heads/${gitBranch}`),
    git: async (...args) => (bare ? git("-C", path, ...args) : git(...args)),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    if (content === undefined) {
      await rm(file, { recursive: true, force: true });
      continue;
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
