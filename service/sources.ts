/** Where a preview's commit, secrets and forge come from. */
import { isAbsolute } from "node:path";
import { TerminalError } from "../components/errors.ts";
import { ensureMirror } from "../components/local/mirror.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import { detectApplication } from "./config/detect.ts";
import { commitTree } from "./config/source-tree.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { Forge } from "./forges/forge.ts";
import { findGitDir } from "./git.ts";
import { grantedValues } from "./granted-secrets.ts";
import type { Repositories } from "./repositories.ts";
import { repositoryFor } from "./stages/stage.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";

export interface SourceDeps {
  readonly config: OperatorConfig;
  /** Absolute. */
  readonly dataDir: string;
  readonly forges: ReadonlyMap<string, Forge>;
  readonly repositories: Repositories;
  readonly store: Pick<Store, "find">;
}

/** Brings the commits into their mirrors; the credentials stay with the git processes. */
export async function prepareSource(deps: SourceDeps, spec: PreviewSpec): Promise<void> {
  const number = (await deps.store.find(spec.key))?.pullRequest?.number;
  const own = { ...spec.source, name: spec.repository, number };
  for (const one of [own, ...Object.values(spec.sources ?? {})]) await fetchCommit(deps, one);
}

async function fetchCommit(
  { dataDir, forges, repositories }: Omit<SourceDeps, "store">,
  {
    name,
    number,
    repository: source,
    commit,
    submodules,
    lfs,
  }: PreviewSpec["source"] & {
    readonly name: string;
    /** Of the pull request whose commit it is. */
    readonly number?: number | undefined;
  },
): Promise<void> {
  const repository = await repositories.find(name);
  const forge = repository && forges.get(repository.forge);
  if (!repository || !forge) throw notConfigured(name);
  const point = await forge.clonePoint(
    refOf(repository),
    number === undefined ? undefined : { number, headSha: commit },
  );
  await ensureMirror({ dataDir, repository: source, commit, submodules, lfs, ...point, refs: point.refs });
}

/** Values of the secrets that the spec was granted; none for a stranger's, whatever it names. */
export async function resolveSecrets(
  { repositories }: Pick<SourceDeps, "repositories">,
  spec: PreviewSpec,
): Promise<Record<string, string>> {
  if (spec.untrusted || spec.grantedSecrets.length === 0) return {};
  const repository = repositoryFor(await repositories.find(spec.repository), spec.key);
  if (!repository) throw notConfigured(spec.repository);
  return grantedValues(repository, spec);
}

/** What a repository without `preview.yaml` seems to be. Throws `TerminalError` with what to write when that cannot be told. */
export async function detect(
  { limits }: OperatorConfig,
  path: string,
  commit: string,
): Promise<ApplicationConfig | undefined> {
  if (!isAbsolute(path)) return undefined;
  const detection = await detectApplication(commitTree(await findGitDir(path), commit), limits);
  if (detection.kind === "found") return detection.application;
  throw new TerminalError({ reason: "SpecInvalid", userMessage: detection.write });
}

/** Forge and repository by the repository's name; undefined when it is not configured (any more). */
export function forgeFor({ config, forges }: Pick<SourceDeps, "config" | "forges">, name: string) {
  const repository = config.repositories.find((candidate) => candidate.name === name);
  const forge = repository && forges.get(repository.forge);
  return repository && forge && { forge, repository: refOf(repository) };
}

function notConfigured(repository: string): TerminalError {
  return new TerminalError({
    reason: "NotConfigured",
    userMessage: `the repository "${repository}" is not configured`,
  });
}
