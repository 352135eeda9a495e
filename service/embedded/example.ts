/** The example shop as a local repository with open pull requests, so that the first start has something to show. */
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runGit } from "../git.ts";
import type { Change } from "./example-changes.ts";

export const EXAMPLE_NAME = "shop";
export const EXAMPLE_BRANCH = "main";

/** Commits are nobody's: the machine's git identity is neither needed nor shown. */
const IDENTITY = [
  "-c",
  "user.name=Stackling",
  "-c",
  "user.email=example@stackling.invalid",
  "-c",
  "commit.gpgSign=false",
];

/** A git repository with a working folder, changed one commit at a time. */
export interface ExampleRepository {
  readonly path: string;
  /** Commits changes on a git branch, made from the default branch when new, and returns to the default branch. */
  commit(gitBranch: string, change: Change): Promise<void>;
  deleteBranch(gitBranch: string): Promise<void>;
}

/** Opens the example's repository in `folder`, made on first use with every pull request of `branches` open. */
export async function openExample(
  folder: string,
  branches: readonly (Change & { readonly gitBranch: string })[],
): Promise<ExampleRepository> {
  const path = join(folder, EXAMPLE_NAME);
  const there = await stat(join(path, ".git")).catch(() => undefined);
  if (!there) await make(path, branches);
  return repositoryAt(path);
}

/** Under another name until it is whole, so that a kill in the middle leaves nothing half made. */
async function make(path: string, branches: readonly (Change & { readonly gitBranch: string })[]): Promise<void> {
  const making = `${path}.new`;
  await rm(making, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const source = fileURLToPath(new URL("../../examples/shop", import.meta.url));
  await cp(source, making, { recursive: true, filter: (file) => basename(file) !== "node_modules" });
  await mkdir(join(making, ".git"));
  const git = gitOf(making);
  await git("init", "--quiet", `--initial-branch=${EXAMPLE_BRANCH}`);
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Open the shop");
  const repository = repositoryAt(making);
  for (const { gitBranch, ...change } of branches) await repository.commit(gitBranch, change);
  await rename(making, path);
}

function repositoryAt(path: string): ExampleRepository {
  const git = gitOf(path);
  return {
    path,
    commit: async (gitBranch, { title, edits }) => {
      const exists = await git("for-each-ref", "--format=%(refname)", `refs/heads/${gitBranch}`);
      await git("checkout", "--quiet", ...(exists ? [gitBranch] : ["-b", gitBranch, EXAMPLE_BRANCH]));
      try {
        for (const { file, replace, by } of edits) await edit(join(path, file), replace, by);
        await git("commit", "--quiet", "--all", "--message", title);
      } finally {
        await git("checkout", "--quiet", EXAMPLE_BRANCH);
      }
    },
    deleteBranch: async (gitBranch) => {
      await git("branch", "--quiet", "-D", gitBranch);
    },
  };
}

async function edit(file: string, replace: string, by: string): Promise<void> {
  const text = await readFile(file, "utf8");
  if (!text.includes(replace)) throw new Error(`changing the example: "${basename(file)}" does not hold "${replace}"`);
  await writeFile(
    file,
    text.replace(replace, () => by),
  );
}

function gitOf(path: string): (...args: readonly string[]) => Promise<string> {
  return async (...args) => {
    const placed = [...IDENTITY, "-c", "advice.detachedHead=false", `--work-tree=${path}`, ...args];
    const { stdout } = await runGit({ gitDir: join(path, ".git"), args: placed, timeoutMs: 30_000 });
    return stdout.toString("utf8").trim();
  };
}
