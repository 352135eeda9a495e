/** Reads the repositories that services of a preview come from: their own `preview.yaml`, and the commit that is to run. */
import { ConfigError, TerminalError } from "../../components/errors.ts";
import { formatKey } from "../../infra/names.ts";
import { readApproval } from "../approval-read.ts";
import { parseApplication } from "../config/application.ts";
import type { ApplicationConfig, ApplicationSource } from "../config/application-types.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { OperatorConfig } from "../config/types.ts";
import type { Forge, PullRequest } from "../forges/forge.ts";
import type { ApplicationRead, SubjectRead } from "../policy.ts";
import type { Store } from "../store/store.ts";
import { refOf } from "../subject.ts";
import { distrustOf } from "../trust.ts";
import { type Asked, chooseLinks, isNamed, type LinkSeen, type Listed, linksInUse, pathOf } from "./links.ts";
import { waitsOf } from "./waits.ts";

const FILE = "preview.yaml";

export interface LinkedDeps {
  readonly config: Pick<OperatorConfig, "limits" | "repositories">;
  forge(name: string): Forge | undefined;
  findDefaultBranch(forge: Forge, repository: RepositoryConfig): Promise<string>;
  /** Whether what answers at the repository's path is the one that is meant. */
  isOurs(repository: RepositoryConfig, id: string | undefined): Promise<boolean>;
  readonly store?: Pick<Store, "find">;
  readonly now?: () => string;
}

export interface LinkedRead {
  readonly kind: "found";
  /** By their names in `preview.yaml`. */
  readonly others: ReadonlyMap<
    string,
    { readonly path: string; readonly application: ApplicationConfig; readonly source: ApplicationSource }
  >;
  readonly links: readonly LinkSeen[];
}

export interface LinkedQuestion {
  readonly repository: RepositoryConfig;
  /** `repositories` of `preview.yaml`, none of them empty. */
  readonly named: Readonly<Record<string, string>>;
  readonly subject: SubjectRead;
  /** Commits of default branches to stay at, by alias. */
  readonly kept: Readonly<Record<string, string>>;
}

/** Never more than one request after the other to a repository. Rejects where a forge does not answer. */
export async function readLinked(
  deps: LinkedDeps,
  { repository, named, subject, kept }: LinkedQuestion,
): Promise<LinkedRead | Exclude<ApplicationRead, { kind: "found" }>> {
  const { listed, problems } = findListed(deps.config.repositories, repository, named);
  if (problems.length > 0) return invalid(`${FILE} names repositories that cannot be linked.`, problems);
  const { asked, refused } = chooseLinks(askingOf(repository, subject), listed);
  const stranger = strangerOf(repository, subject);
  const others = new Map<string, { path: string; application: ApplicationConfig; source: ApplicationSource }>();
  const links: LinkSeen[] = [...refused];
  for (const one of listed) {
    const forge = deps.forge(one.repository.forge);
    if (!forge) return unreachable(`No forge is configured for "${pathOf(one.repository)}".`);
    const link = asked.find(({ alias }) => alias === one.alias);
    const pull = link && (await readPull(deps, forge, { ...link, stranger }));
    if (pull && "message" in pull) return unreachable(pull.message);
    if (pull) links.push(pull.seen);
    const head = pull?.pullRequest;
    const ground = { forge, ...one, ...(head ? { head } : {}), kept: kept[one.alias] };
    const read = await readSource(deps, ground);
    if ("kind" in read) return read;
    others.set(one.alias, { path: pathOf(one.repository), ...read });
  }
  return { kind: "found", others, links };
}

function findListed(
  repositories: readonly RepositoryConfig[],
  own: RepositoryConfig,
  named: Readonly<Record<string, string>>,
): { readonly listed: readonly Listed[]; readonly problems: readonly string[] } {
  const found = Object.entries(named).map(([alias, said]) => {
    const at = `${FILE}: "repositories.${alias}"`;
    const all = repositories.filter((one) => isNamed(one, said));
    // A name is unique; of paths the one on the same forge is meant.
    const one = all.find(({ name }) => name === said) ?? all.find(({ forge }) => forge === own.forge) ?? all[0];
    if (!one) return { problem: `${at} names "${said}", which is none of the operator's repositories` };
    if (one.name === own.name) return { problem: `${at} names "${said}", which is this repository itself` };
    if (!one.linkedBy?.includes(own.name)) {
      return {
        problem: `${at} names "${said}", whose services the operator does not give to "${own.name}"; \`linkedBy: [${own.name}]\` in the entry of "${one.name}" in stackling.yaml does`,
      };
    }
    return { alias, repository: one };
  });
  const listed = found.flatMap((one) => ("problem" in one ? [] : [one]));
  const twice = listed.flatMap(({ alias, repository: { name } }, index) => {
    const first = listed.find((one) => one.repository.name === name);
    if (first === listed[index]) return [];
    return [
      `${FILE}: "repositories.${alias}" names the same repository as "repositories.${first?.alias}"; leave one out`,
    ];
  });
  return { listed, problems: [...found.flatMap((one) => (one.problem === undefined ? [] : [one.problem])), ...twice] };
}

function askingOf(repository: RepositoryConfig, subject: SubjectRead) {
  if (subject.kind !== "pullRequest") return { repository, number: 0, previewWith: [] };
  const { number, previewWith = [] } = subject.pullRequest;
  return { repository, number, previewWith };
}

interface Stranger {
  readonly forge: string;
  readonly author: string;
  /** Of his pull request here. */
  readonly key: string;
}

/** Whoever opened it may see nothing of the other repository, and brings along nothing but what is his own. */
function strangerOf({ forge, name }: RepositoryConfig, subject: SubjectRead): Stranger | undefined {
  if (subject.kind !== "pullRequest" || distrustOf(subject.pullRequest) === undefined) return undefined;
  const { author, number } = subject.pullRequest;
  return { forge, author, key: formatKey({ repository: name, number }) };
}

/** The same of one that there is and of one that there is not. */
const NOT_HIS =
  "That is no pull request of the same author: a stranger's is previewed with his own alone. Correct the line, or take it out.";

/** The pull request where its head is to run; what is said of it in any case. */
async function readPull(
  deps: LinkedDeps,
  forge: Forge,
  { said, repository, number, stranger }: Asked & { readonly stranger: Stranger | undefined },
): Promise<{ readonly seen: LinkSeen; readonly pullRequest?: PullRequest } | { readonly message: string }> {
  // Without its key: by that it would be looked at again for whoever is called the same there.
  if (stranger && stranger.forge !== repository.forge) return { seen: { said, problem: NOT_HIS } };
  const key = formatKey({ repository: repository.name, number });
  const read = await forge.read(refOf(repository), number);
  if (read.kind !== "found") {
    if (stranger && !(await isInUse(deps, stranger, key))) {
      if (read.missing) return { seen: { said, key, problem: NOT_HIS } };
      // The forge's words may tell whether there is one of that number.
      return {
        message: `\`Preview-With: ${said}\` cannot be read now. It is asked again. Is the number wrong, correct the line or take it out.`,
      };
    }
    return {
      message: `\`Preview-With: ${said}\`: ${read.message}. It is asked again; is the number wrong, correct the line or take it out of the description.`,
    };
  }
  const { pullRequest } = read;
  if (stranger && stranger.author !== pullRequest.author) return { seen: { said, key, problem: NOT_HIS } };
  if (!(await deps.isOurs(repository, pullRequest.repositoryId))) {
    return { message: `\`Preview-With: ${said}\`: another repository answers in its place.` };
  }
  const { headSha, url, commitUrl, state, merged } = pullRequest;
  const seen = { said, key, ...(url ? { url } : {}) };
  if (state === "closed") {
    const problem = `${merged ? "It is merged" : "It is closed"}: the default branch runs in its place.`;
    return { seen: { ...seen, problem } };
  }
  const distrust = distrustOf(pullRequest);
  const waits = await readWaits(deps, forge, { repository, pullRequest, key });
  if (waits && "unread" in waits) {
    return { message: `\`Preview-With: ${said}\`: its approvals cannot be read: ${waits.unread}` };
  }
  return {
    pullRequest,
    seen: {
      ...seen,
      headSha,
      ...(commitUrl ? { commitUrl } : {}),
      ...(distrust === undefined ? {} : { distrust }),
      ...(waits ? { waits } : {}),
    },
  };
}

/** Whether it is his as far as was seen: in an outage it is not taken from what serves. */
async function isInUse({ store }: LinkedDeps, stranger: Stranger, key: string): Promise<boolean> {
  const links = (await store?.find(stranger.key))?.status.links;
  return linksInUse(links).some((link) => link.key === key);
}

/** What its own repository's rule asks for yet, which holds wherever its head is to run. */
async function readWaits(
  { store, now = () => new Date().toISOString() }: LinkedDeps,
  forge: Forge,
  {
    repository,
    pullRequest,
    key,
  }: { readonly repository: RepositoryConfig; readonly pullRequest: PullRequest; readonly key: string },
) {
  if (!repository.approval) return undefined;
  const [approval, record] = await Promise.all([readApproval(forge, repository, pullRequest), store?.find(key)]);
  return waitsOf({ repository, pullRequest, approval, record, now: now() });
}

interface Ground extends Listed {
  readonly forge: Forge;
  readonly head?: PullRequest;
  readonly kept: string | undefined;
}

async function readSource(deps: LinkedDeps, ground: Ground) {
  const { forge, repository, head } = ground;
  const path = pathOf(repository);
  const found = head ? await readHead(ground, head) : await readDefault(deps, ground);
  if (!found) return unreachable(`The default branch of "${path}" cannot be read.`);
  const file = `${FILE} of "${path}"`;
  const application = applicationOf(found.text, { file, repository, limits: deps.config.limits });
  if (!application) return invalid(`"${path}" has no ${FILE} at "${found.at}".`, []);
  if ("kind" in application) return application;
  const { install, build, submodules, lfs } = application;
  const point = await forge.clonePoint(refOf(repository), head);
  const source: ApplicationSource = {
    ...{ name: repository.name, cloneUrl: point.url, commit: found.commit },
    ...(head ? { number: head.number } : {}),
    ...{ install, build, submodules, lfs },
  };
  return { application, source };
}

interface FileRead {
  readonly text: string | undefined;
  readonly commit: string;
  /** Ref that the file was read at. */
  readonly at: string;
}

/** Of a pull request the base says what runs, and the head only its code. */
async function readHead({ forge, repository }: Ground, { baseRef, headSha }: PullRequest): Promise<FileRead> {
  return { text: await forge.readFile(refOf(repository), baseRef, FILE), commit: headSha, at: baseRef };
}

/** File and commit are of one moment, so that they fit each other. */
async function readDefault(
  { findDefaultBranch }: LinkedDeps,
  { forge, repository, kept }: Ground,
): Promise<FileRead | undefined> {
  const ref = refOf(repository);
  if (kept !== undefined) {
    try {
      return { text: await forge.readFile(ref, kept, FILE), commit: kept, at: kept.slice(0, 7) };
    } catch (error) {
      // Rewritten since: there is nothing to stay at.
      if (!(error instanceof TerminalError && error.reason === "RefNotFound")) throw error;
    }
  }
  const branch = await findDefaultBranch(forge, repository);
  const commit = await forge.resolve(ref, branch);
  return commit === undefined ? undefined : { text: await forge.readFile(ref, commit, FILE), commit, at: branch };
}

function applicationOf(
  text: string | undefined,
  { file, repository, limits }: { file: string; repository: RepositoryConfig } & Pick<OperatorConfig, "limits">,
): ApplicationConfig | Extract<ApplicationRead, { kind: "invalid" }> | undefined {
  if (text === undefined) return repository.application;
  try {
    return parseApplication(text, { file, limits });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return invalid(`${file} has problems.`, error.userMessage.split("\n"));
  }
}

function invalid(message: string, problems: readonly string[]): Extract<ApplicationRead, { kind: "invalid" }> {
  return { kind: "invalid", message, problems };
}

function unreachable(message: string): Extract<ApplicationRead, { kind: "unreachable" }> {
  return { kind: "unreachable", message };
}
