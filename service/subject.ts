/** Reads from the forge what a preview is of, and the application's own config. */
import { ConfigError } from "../components/errors.ts";
import type { ApprovalRead } from "./approval.ts";
import { type ApplicationLimits, parseApplication } from "./config/application.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import type { ExternalFile } from "./config/external.ts";
import { type HeadKey, withHead } from "./config/head-changes.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { ChangedPathsRead, Forge, PullRequest, RepositoryRef } from "./forges/forge.ts";
import type { Identities } from "./identities.ts";
import { type ApplicationRead, refusalOf, type SubjectRead, wordsOf } from "./policy.ts";
import { wishedCommit } from "./rollback.ts";
import { applicationFor, branchOf } from "./stages/stage.ts";
import type { Preview } from "./status.ts";
import { distrustOf, isApproved } from "./trust.ts";

export const FILE = "preview.yaml";
/** A default branch is renamed once in a project's life. */
const DEFAULT_BRANCH_KEPT_MS = 600_000;

export interface SubjectDeps {
  readonly config: Pick<OperatorConfig, "limits" | "repositories">;
  /** Undefined when the config names no such forge. */
  forge(name: string): Forge | undefined;
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
      const changed = await readChanges(forge, repository, { pullRequest, intents: preview.intents });
      if (changed?.kind === "unreachable") return changed;
      const paths = changed?.kind === "found" ? { changedPaths: changed.paths } : {};
      const approval = await readApproval(forge, repository, { pullRequest, intents: preview.intents });
      return { kind: "pullRequest", pullRequest, defaultBranch, ...paths, ...(approval ? { approval } : {}) };
    } catch (error) {
      return { kind: "unreachable", message: wordsOf(error, `reading from "${repository.path}"`) };
    }
  }

  async function readApplication(
    repository: RepositoryConfig,
    subject: SubjectRead,
    commit?: string,
  ): Promise<ApplicationRead> {
    const forge = deps.forge(repository.forge);
    // By hand the person who asked chose the commit; of a pull request only the base is trusted.
    const gitRef = subject.kind === "pullRequest" ? subject.pullRequest.baseRef : headShaOf(subject);
    if (!forge || gitRef === undefined) return { kind: "unreachable", message: "No forge is configured for it." };
    try {
      const text = await forge.readFile(refOf(repository), gitRef, FILE);
      if (text !== undefined) {
        const keys = headKeysOf(repository, subject);
        const isAsked = commit !== undefined && keys.length > 0;
        const head = isAsked ? await forge.readFile(refOf(repository), commit, FILE) : undefined;
        const { stage } = repository;
        const asWritten = parseWithHead(text, { head, keys, limits: deps.config.limits, external: stage?.external });
        const application = stage ? applicationFor(asWritten, stage) : asWritten;
        return hostClash(application, repository, deps.config) ?? { kind: "found", application };
      }
      if (repository.application) return { kind: "found", application: repository.application };
      return { kind: "invalid", message: `"${repository.path}" has no ${FILE} at "${gitRef}".`, problems: [] };
    } catch (error) {
      if (error instanceof ConfigError) {
        const count = error.problems.length;
        const message = `${FILE} at "${gitRef}" has ${count} ${count === 1 ? "problem" : "problems"}.`;
        return { kind: "invalid", message, problems: error.userMessage.split("\n") };
      }
      return { kind: "unreachable", message: wordsOf(error, `reading ${FILE} of "${repository.path}"`) };
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

  return { readSubject, readApplication, readCloneUrl };
}

/** Throws `ConfigError`; where the head has a part in it, without lines, for no file has the whole. */
function parseWithHead(
  base: string,
  {
    head,
    keys,
    limits,
    external,
  }: {
    head: string | undefined;
    keys: readonly HeadKey[];
    limits: ApplicationLimits;
    external: ExternalFile | undefined;
  },
): ApplicationConfig {
  const { text, taken } = withHead(base, head, keys);
  if (taken.length === 0) return parseApplication(text, { file: FILE, limits, external });
  const file = `${FILE} with ${taken.join(", ")} of the head`;
  try {
    return { ...parseApplication(text, { file, limits }), fromHead: taken };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      file,
      error.problems.map(({ path, message }) => ({ path, message })),
    );
  }
}

/** What of `preview.yaml` a pull request's head may change before the merge. */
function headKeysOf({ headMayChange, untrusted }: RepositoryConfig, subject: SubjectRead): readonly HeadKey[] {
  if (subject.kind !== "pullRequest") return [];
  return (distrustOf(subject.pullRequest) === undefined ? headMayChange : untrusted?.headMayChange) ?? [];
}

export function refOf(repository: RepositoryConfig): RepositoryRef {
  return { name: repository.name, path: repository.path, branches: repository.branches };
}

/** One host would lead to two previews: `pr-7-api-shop` is service `api` of `shop` and the main one of `api-shop`. */
function hostClash(
  { services, main }: ApplicationConfig,
  { name }: RepositoryConfig,
  { repositories }: SubjectDeps["config"],
): ApplicationRead | undefined {
  const further = services.filter((service) => service.kind === "web" && service.name !== main);
  const problems = further.flatMap((service) =>
    repositories.some((other) => other.name === `${service.name}-${name}`)
      ? [
          `${FILE}: service "${service.name}" of "${name}" would answer at the hosts of the repository "${service.name}-${name}"; give the service another name, or that repository in the operator's config`,
        ]
      : [],
  );
  if (problems.length === 0) return undefined;
  return { kind: "invalid", message: `${FILE} names a service whose hosts are another repository's.`, problems };
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

/** Not of an older commit that served. */
async function readApproval(
  forge: Forge,
  repository: RepositoryConfig,
  { pullRequest, intents }: { readonly pullRequest: PullRequest; readonly intents: Preview["intents"] },
): Promise<ApprovalRead | undefined> {
  const { approval: rule } = repository;
  const { headSha, state } = pullRequest;
  if (!rule || state === "closed" || wishedCommit(intents, headSha) !== headSha) return undefined;
  const { required, environment: name } = rule;
  const [reviews, environment] = await Promise.all([
    required > 0 || name !== undefined ? forge.approvals?.(refOf(repository), pullRequest) : undefined,
    name === undefined ? undefined : forge.environmentRule?.(refOf(repository), name),
  ]);
  if (reviews?.kind === "unreachable") return reviews;
  if (environment?.kind === "unreachable") return environment;
  if (name !== undefined && !environment) {
    return { kind: "unreachable", message: `the forge of "${repository.path}" has no environments with rules` };
  }
  return {
    kind: "found",
    reviews: (reviews?.approvals ?? []).map(({ login, at }) => ({ by: `@${login}`, at })),
    ...(environment ? { environment: environment.rule } : {}),
  };
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

function headShaOf(subject: SubjectRead): string | undefined {
  return subject.kind === "commit" ? subject.headSha : undefined;
}
