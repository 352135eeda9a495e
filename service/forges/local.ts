/** Git repositories on this machine: every branch but the default one is an open pull request. */
import { constants } from "node:fs";
import { access, lstat, stat } from "node:fs/promises";
import { resolve as absolute, join } from "node:path";
import { z } from "zod";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { ANY_OWNER_CONFIG, findGitDir, runGit } from "../git.ts";
import { matchesBranch } from "./branch-patterns.ts";
import type {
  ChangedPathsRead,
  Forge,
  ForgeDefinition,
  ListRead,
  PullRequest,
  PullRequestRead,
  RepositoryRef,
} from "./forge.ts";
import { type LocalPull, openPull, type Snapshot, takeSnapshot, untilWon, writePull } from "./local-pulls.ts";
import { changedFiles, readBlob, resolveRef, usualDefaults } from "./local-refs.ts";
import { watchRefs } from "./local-watch.ts";

const options = z.strictObject({
  defaultBranch: z
    .string()
    .min(1)
    .optional()
    .describe("Branch that pull requests are made against; by default what the repository says itself."),
});
type LocalOptions = z.infer<typeof options>;

interface Opened {
  readonly gitDir: string;
  readonly bare: boolean;
}

export const localForge: ForgeDefinition<LocalOptions> = {
  options,
  connect: async (parsed) => createLocalForge({ now: () => new Date().toISOString() }, parsed),
};

/**
 * A forge over git repositories on disk. It writes nothing but `refs/stackling/pull/<n>`.
 *
 * A pull request is closed only when its branch is provably gone from a repository that can be read
 * and whose default branch resolves; anything else is `unreachable`.
 */
export function createLocalForge({ now }: { now: () => string }, { defaultBranch }: LocalOptions = {}): Forge {
  const known = new Map<string, Opened>();

  const open = async ({ path }: RepositoryRef): Promise<Opened> => {
    const before = known.get(path);
    if (before && (await stat(join(before.gitDir, "HEAD")).catch(() => undefined))) return before;
    known.delete(path);
    const gitDir = await findGitDir(path);
    const answer = await runGit({ gitDir, args: ["rev-parse", "--is-bare-repository"] });
    const opened = { gitDir, bare: answer.stdout.toString("utf8").trim() === "true" };
    known.set(path, opened);
    return opened;
  };
  const base = async (repository: RepositoryRef, snapshot: Snapshot) => {
    const opened = await open(repository);
    const candidates = defaultBranch
      ? [defaultBranch]
      : await usualDefaults({ ...opened, originHead: snapshot.originHead });
    const found = candidates.find((branch) => snapshot.tips.has(branch));
    if (found) return found;
    throw failed(`finding the default branch of "${repository.path}": none of "${candidates.join('", "')}" exists`);
  };

  return {
    name: "local",

    async read(repository, number): Promise<PullRequestRead> {
      try {
        const { gitDir } = await open(repository);
        return await untilWon(gitDir, async () => {
          const snapshot = await takeSnapshot(gitDir);
          const baseRef = await base(repository, snapshot);
          const entry = snapshot.pulls.get(number);
          if (!entry) {
            const message = `"${repository.path}" has no pull request ${number}`;
            return { kind: "unreachable", message, missing: true };
          }
          const pull = await settle(gitDir, { snapshot, number, baseRef, now: now() });
          return pull && { kind: "found", pullRequest: present(number, pull, baseRef) };
        });
      } catch (error) {
        return { kind: "unreachable", message: messageOf(error) };
      }
    },

    async list(repository): Promise<ListRead> {
      try {
        const { gitDir } = await open(repository);
        return await untilWon(gitDir, async () => {
          const snapshot = await takeSnapshot(gitDir);
          const baseRef = await base(repository, snapshot);
          const pulls = await openMissing(gitDir, { snapshot, baseRef, repository, now: now() });
          const isListed = ({ branch, state }: LocalPull) =>
            state === "open" && branch !== baseRef && matchesBranch(repository.branches ?? ["**"], branch);
          return (
            pulls && {
              kind: "found",
              pullRequests: [...pulls]
                .filter(([, pull]) => isListed(pull))
                .map(([number, pull]) => present(number, pull, baseRef)),
            }
          );
        });
      } catch (error) {
        return { kind: "unreachable", message: messageOf(error) };
      }
    },

    async changedPaths(repository, { headSha, baseRef }): Promise<ChangedPathsRead> {
      try {
        const { gitDir } = await open(repository);
        return { kind: "found", paths: await changedFiles(gitDir, baseRef, headSha) };
      } catch (error) {
        return { kind: "unreachable", message: messageOf(error) };
      }
    },

    async readFile(repository, gitRef, path) {
      const { gitDir } = await open(repository);
      const commit = await resolveRef(gitDir, gitRef);
      if (!commit) throw new TerminalError({ reason: "RefNotFound", userMessage: refNotFound(repository, gitRef) });
      return readBlob(gitDir, commit, path);
    },

    async resolve(repository, gitRef) {
      const { gitDir } = await open(repository);
      return resolveRef(gitDir, gitRef);
    },

    async defaultBranch(repository) {
      const { gitDir } = await open(repository);
      return base(repository, await takeSnapshot(gitDir));
    },

    async clonePoint(repository) {
      await open(repository);
      return {
        url: absolute(repository.path),
        environment: { GIT_CONFIG_GLOBAL: ANY_OWNER_CONFIG },
        // Only for a git that does not give out a commit by its id.
        refs: ["refs/heads/*", "refs/tags/*"],
      };
    },

    /** There is no place to write to: the same text is shown by `show` and on the page. */
    announce: async (_repository, _pullRequest, _announcement, handles) => handles,

    watch(repository, onChange, signal) {
      watchRefs(
        async () => (await open(repository)).gitDir,
        () => onChange(),
        signal,
      );
    },

    check: async (repository) => {
      try {
        const { gitDir } = await open(repository);
        const branch = await base(repository, await takeSnapshot(gitDir));
        const writable = await access(join(gitDir, "refs"), constants.W_OK).then(
          () => true,
          () => false,
        );
        return [
          { ok: true, what: `repository "${repository.path}" opens, default branch "${branch}"` },
          {
            ok: writable,
            what: `pull-request numbers can be kept in "${gitDir}"`,
            ...(writable ? {} : { remedy: "give this user write access to the folder's refs and objects" }),
          },
        ];
      } catch (error) {
        return [{ ok: false, what: messageOf(error), remedy: "check the repository's path and permissions" }];
      }
    },
  };
}

/** A number for every matching branch without one; undefined when another writer was faster. */
async function openMissing(
  gitDir: string,
  where: { snapshot: Snapshot; baseRef: string; repository: RepositoryRef; now: string },
): Promise<Map<number, LocalPull> | undefined> {
  const { snapshot, baseRef, repository, now } = where;
  const pulls = new Map<number, LocalPull>();
  for (const number of [...snapshot.pulls.keys()].sort((a, b) => a - b)) {
    const pull = await settle(gitDir, { snapshot, number, baseRef, now });
    if (!pull) return undefined;
    pulls.set(number, pull);
  }
  const taken = new Set([...pulls.values()].filter(({ state }) => state === "open").map(({ branch }) => branch));
  const missing = [...snapshot.tips.values()]
    .filter(({ branch }) => branch !== baseRef && !taken.has(branch) && !branch.includes("\uFFFD"))
    .filter(({ branch }) => matchesBranch(repository.branches ?? ["**"], branch))
    .sort((a, b) => a.updatedAt.localeCompare(b.updatedAt) || a.branch.localeCompare(b.branch));
  let highest = Math.max(0, ...pulls.keys());
  for (const tip of missing) {
    const pull = await openPull(gitDir, { number: ++highest, tip, now });
    if (!pull) return undefined;
    pulls.set(highest, pull);
  }
  return pulls;
}

/** Brings one record up to date with its branch; undefined when another writer was faster. */
async function settle(
  gitDir: string,
  where: { snapshot: Snapshot; number: number; baseRef: string; now: string },
): Promise<LocalPull | undefined> {
  const { snapshot, number, baseRef, now } = where;
  const entry = snapshot.pulls.get(number);
  if (!entry || entry.pull.state === "closed") return entry?.pull;
  const tip = snapshot.tips.get(entry.pull.branch);
  if (tip && tip.headSha === entry.pull.headSha) return entry.pull;
  const pull = tip
    ? { ...entry.pull, previewWith: undefined, ...tip }
    : await close(gitDir, { pull: entry.pull, baseRef, now });
  return (await writePull(gitDir, { number, pull, replaces: entry.oid })) ? pull : undefined;
}

async function close(
  gitDir: string,
  { pull, baseRef, now }: { pull: LocalPull; baseRef: string; now: string },
): Promise<LocalPull> {
  await assertAbsent(gitDir, pull.branch);
  const { exitCode } = await runGit({
    gitDir,
    args: ["merge-base", "--is-ancestor", pull.headSha, `refs/heads/${baseRef}`],
    // 128: the head is gone already, so nobody can say that it was merged.
    accept: [1, 128],
  });
  return { ...pull, state: "closed", closedAt: now, updatedAt: now, merged: exitCode === 0 };
}

/** Git silently leaves out refs in folders it may not list; a branch is gone only when the disk says so too. */
async function assertAbsent(gitDir: string, branch: string): Promise<void> {
  const there = await lstat(join(gitDir, "refs", "heads", branch)).then(
    (found) => found.isFile(),
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
  if (there) throw failed(`reading branch "${branch}" in "${gitDir}": its file is there, git does not list it`);
  await access(join(gitDir, "packed-refs"), constants.R_OK).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw failed(`reading "${join(gitDir, "packed-refs")}": ${error.code}`);
  });
}

function present(number: number, pull: LocalPull, baseRef: string): PullRequest {
  return {
    number,
    title: pull.title,
    state: pull.state,
    merged: pull.merged,
    draft: false,
    author: pull.author,
    fork: false,
    trustedAuthor: true,
    bot: false,
    labels: [],
    ...(pull.previewWith ? { previewWith: pull.previewWith } : {}),
    headSha: pull.headSha,
    headRef: pull.branch,
    baseRef,
    createdAt: pull.openedAt,
    updatedAt: pull.updatedAt,
    // Its branch goes with the merge, as far as anybody can tell.
    ...(pull.merged && pull.closedAt !== undefined ? { mergedAt: pull.closedAt } : {}),
  };
}

function refNotFound(repository: RepositoryRef, gitRef: string): string {
  return `reading "${gitRef}" in "${repository.path}": no such branch, tag or commit`;
}

function failed(userMessage: string): StacklingError {
  return new StacklingError({ reason: "Unreachable", userMessage });
}

function messageOf(error: unknown): string {
  return error instanceof StacklingError ? error.userMessage : `reading the repository: ${String(error)}`;
}
