/** Reads an application's own config from the forge: `preview.yaml` of the base, with what the head may change of it. */
import { ConfigError } from "../components/errors.ts";
import { type ApplicationAround, parseApplication, repositoriesNamed } from "./config/application.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import { type HeadKey, withHead } from "./config/head-changes.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { Forge } from "./forges/forge.ts";
import { type LinkedDeps, type LinkedRead, readLinked } from "./linked/read.ts";
import { type ApplicationRead, type SubjectRead, wordsOf } from "./policy.ts";
import { applicationFor } from "./stages/stage.ts";
import { refOf } from "./subject.ts";
import { distrustOf } from "./trust.ts";

export const FILE = "preview.yaml";

export interface ApplicationQuestion {
  readonly repository: RepositoryConfig;
  readonly subject: SubjectRead;
  /** Head whose part in it is asked for; undefined: none. */
  readonly commit: string | undefined;
  /** Commits of other repositories' default branches to stay at, by alias. */
  readonly kept: Readonly<Record<string, string>>;
}

/** Never throws: what a forge could not answer is `unreachable`. */
export async function readApplication(deps: LinkedDeps, question: ApplicationQuestion): Promise<ApplicationRead> {
  const { repository, subject } = question;
  const forge = deps.forge(repository.forge);
  // By hand the person who asked chose the commit; of a pull request only the base is trusted.
  const gitRef = subject.kind === "pullRequest" ? subject.pullRequest.baseRef : headShaOf(subject);
  if (!forge || gitRef === undefined) return { kind: "unreachable", message: "No forge is configured for it." };
  try {
    const text = await forge.readFile(refOf(repository), gitRef, FILE);
    if (text !== undefined) return await readWritten(deps, forge, { ...question, text });
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

/** What the base's file (`text`) comes to. Throws `ConfigError`; rejects where a forge does not answer. */
async function readWritten(
  deps: LinkedDeps,
  forge: Forge,
  { text, repository, subject, commit, kept }: ApplicationQuestion & { readonly text: string },
): Promise<ApplicationRead> {
  const keys = headKeysOf(repository, subject);
  const isAsked = commit !== undefined && keys.length > 0;
  const head = isAsked ? await forge.readFile(refOf(repository), commit, FILE) : undefined;
  const named = repositoriesNamed(text);
  const isLinked = Object.keys(named).length > 0;
  const linked = isLinked ? await readLinked(deps, { repository, named, subject, kept }) : undefined;
  if (linked && linked.kind !== "found") return linked;
  const { stage } = repository;
  const around = { limits: deps.config.limits, external: stage?.external, others: linked?.others };
  const asWritten = withSources(parseWithHead(text, { head, keys, ...around }), linked);
  const application = stage ? applicationFor(asWritten, stage) : asWritten;
  const links = linked ? { links: linked.links } : {};
  return hostClash(application, repository, deps.config) ?? { kind: "found", application, ...links };
}

/** With the commits of the other repositories that its services come from. */
function withSources(application: ApplicationConfig, linked: LinkedRead | undefined): ApplicationConfig {
  if (!linked) return application;
  const sources = Object.fromEntries([...linked.others].map(([alias, { source }]) => [alias, source]));
  return { ...application, sources };
}

/** Throws `ConfigError`; where the head has a part in it, without lines, for no file has the whole. */
function parseWithHead(
  base: string,
  {
    head,
    keys,
    external,
    ...around
  }: {
    head: string | undefined;
    keys: readonly HeadKey[];
  } & Omit<ApplicationAround, "file">,
): ApplicationConfig {
  const { text, taken } = withHead(base, head, keys);
  if (taken.length === 0) return parseApplication(text, { file: FILE, external, ...around });
  const file = `${FILE} with ${taken.join(", ")} of the head`;
  try {
    return { ...parseApplication(text, { file, ...around }), fromHead: taken };
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

/** One host would lead to two previews: `pr-7-api-shop` is service `api` of `shop` and the main one of `api-shop`. */
function hostClash(
  { services, main }: ApplicationConfig,
  { name }: RepositoryConfig,
  { repositories }: LinkedDeps["config"],
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

function headShaOf(subject: SubjectRead): string | undefined {
  return subject.kind === "commit" ? subject.headSha : undefined;
}
