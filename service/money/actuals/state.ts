/** What is kept of the questions to vendors, so that no replica asks twice and nobody pays for more than was meant. */
import { type Kysely, sql } from "kysely";
import { storableJson } from "../../store/json.ts";
import type { Tables } from "../../store/tables.ts";
import type { CostSource } from "../types.ts";

export type VendorSource = Exclude<CostSource, "metered">;

export interface PullState {
  /** ISO 8601 UTC, of the last try. */
  readonly at?: string;
  /** It has not come to an end: it goes on, or was cut short. */
  readonly asking?: boolean;
  /** ISO 8601 UTC, of the last one that went well. */
  readonly goodAt?: string;
  /** Last day that is known, `2026-11-20`. */
  readonly through?: string;
  /** Why the last try failed, in a person's words. */
  readonly fault?: string;
  readonly remedy?: string;
  /** Calls that were paid for on a day, UTC. */
  readonly calls?: { readonly day: string; readonly count: number };
  /** What is wrong beside, such as a tag that is not activated. */
  readonly tag?: { readonly ok: boolean; readonly what: string; readonly remedy?: string };
  /** Stacks by what a vendor calls them. */
  readonly stacks?: Readonly<Record<string, string>>;
}

export interface PullStateStore {
  pullState(source: VendorSource): Promise<PullState>;
  setPullState(source: VendorSource, state: PullState): Promise<void>;
}

const name = (source: VendorSource) => `costs ${source}`;

export function pullStateStore({ db }: { readonly db: Kysely<Tables> }): PullStateStore {
  return {
    async pullState(source) {
      const { rows } = await sql<{ body: PullState }>`
        select body from setting where name = ${name(source)}`.execute(db);
      return rows[0]?.body ?? {};
    },
    async setPullState(source, state) {
      await sql`insert into setting (name, body) values (${name(source)}, ${storableJson(state)})
        on conflict (name) do update set body = excluded.body`.execute(db);
    },
  };
}
