/** What is asked of the store for the metrics alone. Cheap enough for every scrape. */
import { type Kysely, sql } from "kysely";
import type { Tables } from "../store/tables.ts";

export interface Backlog {
  /** Keys that wait. */
  readonly depth: number;
  /** Keys that some replica works on. */
  readonly working: number;
  /** Of those that wait for no other job of their own key; 0 where there are none. */
  readonly oldestSeconds: number;
}

export interface LevelStore {
  backlog(): Promise<Backlog>;
  /** Previews that had a stack, are gone since at most a week, and have no receipt of that life. */
  unproved(): Promise<number>;
}

export function levelStore({
  db,
  now,
}: {
  readonly db: Kysely<Tables>;
  /** ISO 8601 UTC */
  readonly now: () => string;
}): LevelStore {
  return {
    async backlog() {
      // What waits behind an update of its own preview waits as it should, for as long as that takes.
      const { rows } = await sql<{ depth: number; working: number; oldest: number }>`
        select count(*) filter (where state < 'active')::int as depth,
               count(*) filter (where state = 'active')::int as working,
               greatest(0, coalesce(extract(epoch from now() - min(created_on) filter (
                 where state < 'active' and not exists (
                   select from pgboss.job as held
                   where held.name = job.name and held.state = 'active' and held.group_id = job.group_id))), 0))::float8 as oldest
        from pgboss.job as job where name = 'look'`.execute(db);
      const [{ depth, working, oldest } = { depth: 0, working: 0, oldest: 0 }] = rows;
      return { depth, working, oldestSeconds: oldest };
    },
    async unproved() {
      // What was refused from the start had no stack, and needs no proof.
      const { rows } = await sql<{ unproved: number }>`
        select count(*)::int as unproved from preview
        where gone_at > ${now()}::timestamptz - interval '7 days'
          and exists (select from history
            where history.key = preview.key and history.at >= preview.created_at and history.reason = 'Destroying')
          and not exists (select from receipt where receipt.key = preview.key and receipt.at >= preview.created_at)`.execute(
        db,
      );
      return rows[0]?.unproved ?? 0;
    },
  };
}
