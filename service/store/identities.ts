/** Which repository of a forge a configured name stands for, kept so that it cannot become another one. */
import { type Kysely, sql } from "kysely";
import type { Tables } from "./tables.ts";

export interface BoundRepository {
  /** As in the config. */
  readonly name: string;
  /** Name of an entry of `forges`: each forge counts its ids for itself. */
  readonly forge: string;
  /** The forge's own, which a rename or transfer leaves as it is. */
  readonly id: string;
}

export interface IdentityStore {
  boundRepositories(): Promise<readonly BoundRepository[]>;
  /** Binds a name that is not bound yet, or with `anew` any; resolves with the id that it is bound to then. */
  bindRepository(repository: BoundRepository, how?: { readonly anew: boolean }): Promise<string>;
}

export const IDENTITIES: readonly string[] = [
  `create table repository_identity (
     name text not null, forge text not null, id text not null, at timestamptz not null default now(),
     primary key (forge, name))`,
];

export function identityStore({ db }: { readonly db: Kysely<Tables> }): IdentityStore {
  return {
    boundRepositories: () =>
      db.selectFrom("repository_identity").select(["name", "forge", "id"]).orderBy("forge").orderBy("name").execute(),
    async bindRepository({ name, forge, id }, { anew } = { anew: false }) {
      // A row that stays as it was is written all the same, for only a row that is written is returned.
      const { rows } = await sql<{ id: string }>`
        insert into repository_identity as held (name, forge, id) values (${name}, ${forge}, ${id})
        on conflict (forge, name) do update set id = ${anew ? sql.ref("excluded.id") : sql.ref("held.id")}
        returning held.id`.execute(db);
      return rows[0]?.id ?? id;
    },
  };
}
