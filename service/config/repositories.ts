/** The `repositories` of `stackling.yaml`: named, joined with their forge and target, and checked against each other. */
import { basename, resolve } from "node:path";
import { accessOf } from "./access-schema.ts";
import { approvalOf } from "./approval.ts";
import { closest } from "./closest.ts";
import { verbosityOf } from "./comment-schema.ts";
import { defaultLifecycle, defaultPullRequests } from "./defaults.ts";
import { timesOf } from "./lifecycle-times.ts";
import type { OperatorFile } from "./operator-schema.ts";
import { place } from "./place.ts";
import type { RepositoryFile } from "./repository-schema.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import { stagesOf } from "./stages.ts";
import type { ForgeConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

interface Surroundings {
  readonly directory: string;
  readonly forges: readonly ForgeConfig[];
}

export function resolveRepositories(
  typed: OperatorFile,
  { directory, forges: connected }: Surroundings,
): { readonly repositories: readonly RepositoryConfig[]; readonly misfits: readonly Misfit[] } {
  const misfits: Misfit[] = [];
  const repositories = typed.repositories.map((repository, index): RepositoryConfig => {
    const at = (key: string, message: string) => misfits.push({ path: ["repositories", index, key], message });
    const forge = choose({
      chosen: repository.forge,
      known: Object.keys(typed.forges ?? { local: {} }),
      what: "forge",
    });
    if (forge.fault) at("forge", `repository "${repository.path}": ${forge.fault}`);
    const target = choose({
      chosen: repository.target,
      known: Object.keys(typed.targets ?? { local: {} }),
      what: "target",
    });
    if (target.fault) at("target", `repository "${repository.path}": ${target.fault}`);
    const kind = connected.find((f) => f.name === forge.name)?.kind;
    const isLocal = kind === "local";
    if (repository.approval?.environment !== undefined && kind !== undefined && kind !== "github")
      at("approval", `repository "${repository.path}": "environment" is one of GitHub's, and its forge is ${kind}`);
    if (kind !== undefined && !isLocal && FOLDER.test(repository.path))
      at(
        "path",
        `repository "${repository.path}": that is a folder on this machine, and its forge is ${kind}; put "local: {}" under "forges", and "forge: local" here`,
      );
    if (isLocal && repository.id !== undefined)
      at("id", `repository "${repository.path}": a local repository has no id; leave "id" out`);
    const name = repository.name ?? nameOf(repository.path);
    if (name === undefined)
      at("name", `repository "${repository.path}": its own name cannot be used; choose one with "name"`);
    const resolved = { repository, name: name ?? "", forge: forge.name, target: target.name, isLocal, directory };
    const times = repository.lifecycle && timesOf(repository.lifecycle, timesOf(typed.lifecycle, defaultLifecycle));
    return { ...toRepository(resolved), ...(times ? { lifecycle: times } : {}) };
  });
  return { repositories, misfits: [...misfits, ...clashes(repositories), ...strangers(repositories)] };
}

/** No forge has such a path. */
const FOLDER = /^(?:\/|\.\.?\/|~)/;

interface ResolvedRepository {
  readonly repository: RepositoryFile;
  readonly name: string;
  readonly forge: string;
  readonly target: string;
  readonly isLocal: boolean;
  readonly directory: string;
}

function toRepository({ repository, name, forge, target, isLocal, directory }: ResolvedRepository): RepositoryConfig {
  const { baseline, baselines, untrusted, team, costCenter } = repository;
  const secrets = Object.entries(repository.secrets ?? {}).map(([key, reference]) => [
    key,
    place(reference, directory),
  ]);
  return {
    name,
    forge,
    path: isLocal ? resolve(directory, repository.path) : repository.path,
    ...(repository.id !== undefined ? { id: String(repository.id) } : {}),
    target,
    branches: repository.branches ?? ["**"],
    ...(repository.pullRequests ? { pullRequests: { ...defaultPullRequests, ...repository.pullRequests } } : {}),
    ...(baseline !== undefined ? { baseline } : {}),
    ...(baselines ? { baselines } : {}),
    ...(untrusted ? { untrusted } : {}),
    ...(repository.approval ? { approval: approvalOf(repository.approval) } : {}),
    secrets: Object.fromEntries(secrets),
    ...(team !== undefined ? { team } : {}),
    ...(costCenter !== undefined ? { costCenter } : {}),
    tags: repository.tags ?? {},
    ...accessOf(repository, directory),
    ...(repository.banner === undefined ? {} : { banner: repository.banner }),
    ...(repository.chat ? { chat: repository.chat } : {}),
    ...(repository.hooks ? { hooks: repository.hooks } : {}),
    ...(repository.comments === undefined ? {} : { comments: verbosityOf(repository.comments) }),
    ...(repository.egress ? { egress: repository.egress } : {}),
    ...(repository.headMayChange ? { headMayChange: repository.headMayChange } : {}),
    ...(repository.oauthRelay ? { oauthRelay: repository.oauthRelay } : {}),
    ...(repository.linkedBy ? { linkedBy: repository.linkedBy } : {}),
    ...(repository.drift ? { drift: repository.drift } : {}),
    ...(repository.limits ? { limits: repository.limits } : {}),
    ...(repository.stages ? { stages: stagesOf(repository.stages, { target, directory }) } : {}),
  };
}

function clashes(repositories: readonly RepositoryConfig[]): readonly Misfit[] {
  return repositories.flatMap((repository, index) => {
    const earlier = repositories.slice(0, index);
    const sameName = earlier.find((other) => other.name !== "" && other.name === repository.name);
    if (sameName) {
      const message = `repositories "${sameName.path}" and "${repository.path}" would both be named "${repository.name}"; give one of them a "name" of its own`;
      return [{ path: ["repositories", index], message }];
    }
    const samePath = earlier.find((other) => other.forge === repository.forge && other.path === repository.path);
    const message = `repository "${repository.path}" is listed twice`;
    return samePath ? [{ path: ["repositories", index], message }] : [];
  });
}

/** Names in `linkedBy` that nobody bears. */
function strangers(repositories: readonly RepositoryConfig[]): readonly Misfit[] {
  const names = repositories.map(({ name }) => name);
  return repositories.flatMap(({ path, linkedBy = [] }, index) =>
    linkedBy.flatMap((name, place) => {
      if (names.includes(name)) return [];
      const hint = closest(name, names);
      const message = `repository "${path}": "linkedBy" names "${name}", which is no repository here${hint ? `; did you mean "${hint}"?` : ""}`;
      return [{ path: ["repositories", index, "linkedBy", place], message }];
    }),
  );
}

/** The repository's own name in our alphabet; undefined when nothing usable is left of it. */
export function nameOf(path: string): string | undefined {
  const name = basename(path)
    .replace(/\.git$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name) ? name : undefined;
}

function choose({ chosen, known, what }: { chosen: string | undefined; known: readonly string[]; what: string }): {
  readonly name: string;
  readonly fault?: string;
} {
  const [only = ""] = known;
  if (chosen === undefined) {
    return known.length === 1 ? { name: only } : { name: "", fault: `choose a "${what}", one of ${known.join(", ")}` };
  }
  if (known.includes(chosen)) return { name: chosen };
  const hint = closest(chosen, known);
  return {
    name: "",
    fault: `there is no ${what} "${chosen}"; ${hint ? `did you mean "${hint}"?` : `known: ${known.join(", ")}`}`,
  };
}
