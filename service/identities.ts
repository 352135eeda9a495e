/** What a repository's name in the config stands for: one repository of the forge, by the forge's own id. */
import type { Finding } from "../components/ports.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { Forge } from "./forges/forge.ts";
import type { IdentityStore } from "./store/identities.ts";
import { refOf } from "./subject.ts";

export interface IdentitiesDeps {
  readonly config: Pick<OperatorConfig, "repositories">;
  readonly store: IdentityStore;
  readonly forge: (name: string) => Forge | undefined;
}

export interface Identities {
  /**
   * False when `id` is another repository than the name stands for. A name is bound at first sight; a
   * forge without ids (undefined) has nothing to be mistaken for. Rejects when the store is away.
   */
  isOurs(repository: RepositoryConfig, id: string | undefined): Promise<boolean>;
  /** True while another repository answers at the name's path: nothing is to be written there. */
  isReplaced(name: string): boolean;
  /** Path in the config of a repository that a delivery names, whatever it is called by now. */
  pathOf(forge: string, path: string, id: string | undefined): string;
  /** What `doctor` says: renamed, replaced, or configured twice. */
  check(): Promise<readonly Finding[]>;
}

type Named = Pick<RepositoryConfig, "forge" | "name">;

/** Reads what was bound in earlier lives. Rejects when the store is away. */
export async function createIdentities({ config, store, forge }: IdentitiesDeps): Promise<Identities> {
  const idOf = new Map((await store.boundRepositories()).map((bound) => [keyOf(bound), bound.id]));
  const replaced = new Set<string>();

  const bind = async (repository: Named, id: string, anew: boolean) => {
    const { name, forge: forgeName } = repository;
    idOf.set(keyOf(repository), await store.bindRepository({ name, forge: forgeName, id }, { anew }));
  };

  /** What the operator wrote wins over what was seen before. */
  const wantedId = (repository: RepositoryConfig) => repository.id ?? idOf.get(keyOf(repository));

  const isOurs: Identities["isOurs"] = async (repository, id) => {
    if (id === undefined) return true;
    const isChosen = repository.id === id;
    if (idOf.get(keyOf(repository)) !== id) await bind(repository, id, isChosen);
    const ours = wantedId(repository) === id;
    if (ours) replaced.delete(repository.name);
    else replaced.add(repository.name);
    return ours;
  };

  return {
    isOurs,
    isReplaced: (name) => replaced.has(name),
    pathOf(forgeName, path, id) {
      const found = config.repositories.find(
        (repository) => repository.forge === forgeName && id !== undefined && wantedId(repository) === id,
      );
      return found?.path ?? path;
    },
    async check() {
      const looks = config.repositories.map((repository) => look(forge(repository.forge), repository));
      const seen = (await Promise.all(looks)).filter((one) => one !== undefined);
      const bound = await store.boundRepositories();
      const findings: Finding[] = [];
      for (const one of seen) {
        if (!(await isOurs(one.repository, one.id))) {
          findings.push(replacedFinding(one, wantedId(one.repository) ?? ""));
        } else if (one.path.toLowerCase() !== one.repository.path.toLowerCase()) findings.push(renamedFinding(one));
        const others = bound.filter(
          ({ name, forge: at, id }) => id === one.id && at === one.repository.forge && name !== one.repository.name,
        );
        for (const { name } of others) {
          const other = config.repositories.find((candidate) => candidate.name === name);
          if (!other) findings.push(formerFinding(one, name));
          else if ((other.id ?? one.id) === one.id && one.repository.name < name)
            findings.push(twiceFinding(one, name));
        }
      }
      return findings;
    },
  };
}

interface Seen {
  readonly repository: RepositoryConfig;
  readonly id: string;
  /** Under which the forge knows it now. */
  readonly path: string;
}

/** Undefined where the forge has no ids or does not answer, which its own check tells. */
async function look(forge: Forge | undefined, repository: RepositoryConfig): Promise<Seen | undefined> {
  const identity = await forge?.identify?.(refOf(repository)).catch(() => undefined);
  return identity && { repository, ...identity };
}

function replacedFinding({ repository: { name, path }, id }: Seen, bound: string): Finding {
  return {
    ok: false,
    what: `"${path}" is another repository (id ${id}) than the one that "${name}" stands for (id ${bound}): its previews stand still`,
    remedy: `write \`id: "${id}"\` beside its \`path\` when the new one is to take its place; else correct the \`path\`, or give the new one a \`name\` of its own`,
  };
}

function renamedFinding({ repository: { name, path: old }, path }: Seen): Finding {
  return {
    ok: true,
    what: `"${old}" is called "${path}" now, and its previews go on`,
    remedy: `write \`path: ${path}\` with \`name: ${name}\`, before somebody takes the old name`,
  };
}

function twiceFinding({ repository: { name } }: Seen, other: string): Finding {
  return {
    ok: false,
    what: `"${name}" and "${other}" are the same repository, so that each pull request gets two previews`,
    remedy: "take one of them out of `repositories`",
  };
}

function formerFinding({ repository: { name } }: Seen, former: string): Finding {
  return {
    ok: true,
    what: `the repository of "${name}" was "${former}" before, which is configured no more`,
    remedy: `write \`name: ${former}\` to go on with the previews it left, or \`stackling sweep --dry-run\` to see them`,
  };
}

function keyOf({ forge, name }: Named): string {
  return `${forge} ${name}`;
}
