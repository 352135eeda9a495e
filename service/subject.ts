/** Reads from the forge what a preview is of. */
import { readApplication } from "./application-read.ts";
import { readApproval } from "./approval-read.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { ChangedPathsRead, Forge, PullRequest, RepositoryRef } from "./forges/forge.ts";
import type { Identities } from "./identities.ts";
import type { PullRequestLog } from "./kpis/pull-requests.ts";
import { refusalOf, type SubjectRead, wordsOf } from "./policy.ts";
import { wishedCommit } from "./rollback.ts";
import { branchOf } from "./stages/stage.ts";
import type { Preview } from "./status.ts";
import type { Store } from "./store/store.ts";
import { distrustOf, isApproved } from "./trust.ts";

/** A default branch is renamed once in a project's life. */
const DEFAULT_BRANCH_KEPT_MS = 600_000;

export interface SubjectDeps {
  readonly config: Pick<OperatorConfig, "limits" | "repositories">;
  /** Undefined when the config names no such forge. */
  forge(name: string): Forge | undefined;
  readonly pullRequests?: Pick<PullRequestLog, "read">;
  /** What is noted of the pull requests that one is previewed with; undefined: nothing is. */
  readonly store?: Pick<Store, "find">;
  /** ISO 8601; default: by the machine's clock. */
  readonly now?: () => string;
  /** Undefined: what answers at a repository's path is taken for it. */
  readonly identities?: Pick<Identities, "isOurs">;
}

export type SubjectReader = ReturnType<typeof createSubjectReader>;

/** Reads that never throw: what a forge could not answer is `unreachable`, which is evidence of nothing. */
export function createSubjectReader(deps: SubjectDeps) {
  const defaultBranches = new Map<string, { readonly name: string; readonly until: number }>();
  const isOurs = async (repository: RepositoryConfig, id: string | undefined) =>
    (await deps.identities?.isOurs(repository, id)) ?? true;

  async function readSubject(
    preview: Pick<Preview, "number" | "gitBranch" | "intents">,
    repository: RepositoryConfig | undefined,
  ): Promise<SubjectRead> {
    const forge = repository && deps.forge(repository.forge);
    if (!repository || !forge) return { kind: "unreachable", message: "No forge is configured for it." };
    try {
      if (preview.number === undefined) {
        const identity = await forge.identify?.(refOf(repository));
        return (await isOurs(repository, identity?.id))
          ? await readCommit(forge, repository, preview)
          : replaced(repository);
      }
      const [read, defaultBranch] = await Promise.all([
        forge.read(refOf(repository), preview.number),
        findDefaultBranch(forge, repository),
      ]);
      if (read.kind !== "found") return read;
      const { pullRequest } = read;
      if (!(await isOurs(repository, pullRequest.repositoryId))) return replaced(repository);
      await deps.pullRequests?.read(repository.name, pullRequest);
      const changed = await readChanges(forge, repository, { pullRequest, intents: preview.intents });
      if (changed?.kind === "unreachable") return changed;
      const paths = changed?.kind === "found" ? { changedPaths: changed.paths } : {};
      const isHead = wishedCommit(preview.intents, pullRequest.headSha) === pullRequest.headSha;
      // Not of an older commit that served.
      const approval = isHead ? await readApproval(forge, repository, pullRequest) : undefined;
      return { kind: "pullRequest", pullRequest, defaultBranch, ...paths, ...(approval ? { approval } : {}) };
    } catch (error) {
      return { kind: "unreachable", message: wordsOf(error, `reading from "${repository.path}"`) };
    }
  }

  /** Address to fetch from, without credentials; undefined when it cannot be told now. */
  async function readCloneUrl(repository: RepositoryConfig, subject: SubjectRead): Promise<string | undefined> {
    try {
      const pullRequest = subject.kind === "pullRequest" ? subject.pullRequest : undefined;
      return (await deps.forge(repository.forge)?.clonePoint(refOf(repository), pullRequest))?.url;
    } catch {
      return undefined;
    }
  }

  async function findDefaultBranch(forge: Forge, repository: RepositoryConfig): Promise<string> {
    const known = defaultBranches.get(repository.name);
    if (known && known.until > performance.now()) return known.name;
    const name = await forge.defaultBranch(refOf(repository));
    defaultBranches.set(repository.name, { name, until: performance.now() + DEFAULT_BRANCH_KEPT_MS });
    return name;
  }

  return {
    readSubject,
    readCloneUrl,
    /** `commit`: the head whose part in it is asked for; `kept`: commits of other repositories to stay at, by alias. */
    readApplication: (
      repository: RepositoryConfig,
      subject: SubjectRead,
      commit?: string,
      kept: Readonly<Record<string, string>> = {},
    ) => readApplication({ ...deps, isOurs, findDefaultBranch }, { repository, subject, commit, kept }),
  };
}

export function refOf(repository: RepositoryConfig): RepositoryRef {
  return { name: repository.name, path: repository.path, branches: repository.branches };
}

function replaced({ name, path }: RepositoryConfig): SubjectRead {
  const message = `"${path}" is another repository now than the one that "${name}" stands for. \`stackling doctor\` says what to do.`;
  return { kind: "replaced", message };
}

/** Only where a rule asks for them and nothing else decides already: of strangers nothing is built unless approved. */
async function readChanges(
  forge: Forge,
  repository: RepositoryConfig,
  { pullRequest, intents }: { readonly pullRequest: PullRequest; readonly intents: Preview["intents"] },
): Promise<ChangedPathsRead | undefined> {
  const { paths, ignorePaths } = repository.pullRequests ?? {};
  if (!(paths ?? ignorePaths) || pullRequest.state === "closed") return undefined;
  if (distrustOf(pullRequest) !== undefined && !isApproved(intents, pullRequest.headSha)) return undefined;
  if (refusalOf(repository, pullRequest) !== undefined) return undefined;
  return forge.changedPaths?.(refOf(repository), pullRequest);
}

/** Of a stage the branch that it follows, or what was promoted to it; by hand the ref that somebody named. */
async function readCommit(
  forge: Forge,
  repository: RepositoryConfig,
  preview: Pick<Preview, "gitBranch" | "intents">,
): Promise<SubjectRead> {
  const { stage } = repository;
  if (stage?.from !== undefined) {
    const { promoted } = preview.intents;
    if (promoted) return { kind: "commit", gitBranch: branchOf(repository, stage), headSha: promoted.sha };
    const message = `Nothing was promoted to it yet: \`stackling promote ${repository.name} ${stage.from} ${stage.name}\`.`;
    return { kind: "unpromoted", message };
  }
  const gitRef = stage?.branch ?? preview.intents.gitRef ?? preview.gitBranch;
  const headSha = await forge.resolve(refOf(repository), gitRef);
  if (headSha === undefined) {
    return { kind: "missing", message: `"${gitRef}" is no branch, tag or commit of "${repository.path}".` };
  }
  return { kind: "commit", gitBranch: stage?.branch ?? preview.gitBranch, headSha };
}
