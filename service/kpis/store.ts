/** Pull requests as the forge showed them, and what else of the store the numbers are made of. */
import { type ColumnType, type Generated, type Kysely, type RawBuilder, sql } from "kysely";
import type { Preview } from "../status.ts";
import type { Tables } from "../store/tables.ts";
import type { SweepReport } from "../sweep/report.ts";
import type { Move } from "../trends/sample.ts";
import { TELLING } from "./asleep.ts";
import type { Merged } from "./measure.ts";

/** Table of pull requests: those that are open, and those that were merged, whether or not they had a preview. */
export const KPIS: readonly string[] = [
  `create table pull_request (
     key text primary key, repository text not null, opened_at timestamptz not null, bot boolean not null,
     seen_at timestamptz not null, merged_at timestamptz, previewed boolean,
     noted_at timestamptz not null default now())`,
  `create index pull_request_open on pull_request (repository, seen_at) where merged_at is null`,
  `create index pull_request_merged on pull_request (merged_at) where merged_at is not null`,
];

type Time = ColumnType<Date, string, string>;

export interface PullRequestTable {
  key: string;
  repository: string;
  opened_at: Time;
  bot: boolean;
  /** When the forge's list showed it last, to the day. */
  seen_at: Time;
  merged_at: ColumnType<Date | null, string | null, string | null>;
  /** Of one that was merged. */
  previewed: boolean | null;
  noted_at: Generated<Date>;
}

export interface OpenPull {
  readonly key: string;
  readonly openedAt: string;
  readonly bot: boolean;
}

export interface PullRequestStore {
  /** Writes down what a repository's list shows to be open; resolves with keys that it showed before and does not now. */
  pullsListed(repository: string, open: readonly OpenPull[], now: string): Promise<readonly string[]>;
  /** Undefined where it was known to be merged; else whether a version of it served before. */
  pullMerged(
    pull: OpenPull & { readonly repository: string; readonly mergedAt: string },
  ): Promise<{ readonly previewed: boolean } | undefined>;
  /** It was closed without a merge. */
  pullDropped(key: string): Promise<void>;
}

export interface KpiStore extends PullRequestStore {
  /** Of this time on, behind each preview's last one before it; oldest first. `cut`: only the newest hundred thousand. */
  movesSince(since: string): Promise<{
    readonly moves: readonly Move[];
    /** Of each preview the last of the telling ones before it. */
    readonly telling: readonly Move[];
    readonly cut: boolean;
  }>;
  /** Previews that are there or went since. */
  bornBy(since: string): Promise<readonly Pick<Preview, "key" | "createdAt">[]>;
  /** The newest hundred thousand at most, as of merges. */
  receiptsSince(since: string): Promise<readonly { readonly key: string; readonly at: string }[]>;
  sweepsSince(since: string): Promise<readonly SweepReport[]>;
  /** Oldest first. */
  mergedSince(since: string): Promise<readonly Merged[]>;
  /** When the first pull request was written down; undefined: none was. */
  pullsKnownSince(): Promise<string | undefined>;
}

export const MERGED_KEPT_DAYS = 400;
/** What no list shows and no read says to be closed is a repository that answers no more. */
const UNSEEN_KEPT_DAYS = 30;
/** Each is read for itself, so that these cost at most as many requests. */
const READ_AT_ONCE = 20;
const ROWS_MAX = 100_000;

export interface KpiStoreDeps {
  readonly db: Kysely<Tables>;
  /** Of each list at most. */
  readonly rowsMax?: number;
}

export function kpiStore({ db, rowsMax = ROWS_MAX }: KpiStoreDeps): KpiStore {
  return {
    async pullsListed(repository, open, now) {
      const keys = open.map(({ key }) => key);
      const column = <Name extends keyof OpenPull>(name: Name) => open.map((pull) => pull[name]);
      // Written once a day, however often it is listed.
      await sql`
        insert into pull_request as held (key, repository, opened_at, bot, seen_at)
        select distinct on (key) key, ${repository}, opened_at, bot, ${now}
        from unnest(${keys}::text[], ${column("openedAt")}::timestamptz[], ${column("bot")}::boolean[])
          as pull (key, opened_at, bot)
        on conflict (key) do update set seen_at = excluded.seen_at
        where held.seen_at < excluded.seen_at - interval '1 day' and held.merged_at is null`.execute(db);
      const { rows } = await sql<{ key: string }>`
        select key from pull_request
        where repository = ${repository} and merged_at is null and key <> all(${keys}::text[])
        order by seen_at desc, key limit ${READ_AT_ONCE}`.execute(db);
      return rows.map(({ key }) => key);
    },
    async pullMerged({ key, repository, openedAt, mergedAt, bot }) {
      const { rows } = await sql<{ previewed: boolean }>`
        insert into pull_request as held (key, repository, opened_at, bot, seen_at, merged_at, previewed)
        values (${key}, ${repository}, ${openedAt}, ${bot}, ${mergedAt}, ${mergedAt},
          exists (select from history where key = ${key} and reason = 'Healthy')
            or exists (select from preview where key = ${key} and jsonb_typeof(status->'live') = 'object'))
        on conflict (key) do update set merged_at = excluded.merged_at, previewed = excluded.previewed
        where held.merged_at is null
        returning previewed`.execute(db);
      return rows[0];
    },
    async pullDropped(key) {
      await db.deleteFrom("pull_request").where("key", "=", key).where("merged_at", "is", null).execute();
    },
    async movesSince(since) {
      const { rows } = await sql<{ key: string; at: Date; reason: string }>`
        select key, at, reason from history where at > ${since} order by id desc limit ${rowsMax}`.execute(db);
      const lastOf = async (reasons: RawBuilder<unknown>) => {
        const found = await sql<{ key: string; at: Date; reason: string }>`
          select preview.key, stood.at, stood.reason from preview
          cross join lateral (
            select id, at, reason from history where history.key = preview.key and at <= ${since} and ${reasons}
            order by id desc limit 1) as stood
          where gone_at is null or gone_at > ${since}
          order by stood.id`.execute(db);
        return found.rows;
      };
      const before = await lastOf(sql`true`);
      const told = await lastOf(sql`reason = any(${TELLING}::text[])`);
      const movesOf = (found: typeof rows) => found.map((row): Move => ({ ...row, at: row.at.toISOString() }));
      return {
        moves: movesOf([...before, ...rows.reverse()]),
        telling: movesOf(told),
        cut: rows.length === rowsMax,
      };
    },
    async bornBy(since) {
      const rows = await db
        .selectFrom("preview")
        .select(["key", "created_at"])
        .where((of) => of.or([of("gone_at", "is", null), of("gone_at", ">", new Date(since))]))
        .execute();
      return rows.map(({ key, created_at: at }) => ({ key, createdAt: at.toISOString() }));
    },
    async receiptsSince(since) {
      const rows = await db
        .selectFrom("receipt")
        .select(["key", "at"])
        .where("at", ">", new Date(since))
        .orderBy("at", "desc")
        .limit(rowsMax)
        .execute();
      return rows.map(({ key, at }) => ({ key, at: at.toISOString() }));
    },
    async sweepsSince(since) {
      const rows = await db
        .selectFrom("sweep")
        .select("body")
        .where("at", ">", new Date(since))
        .orderBy("id")
        .execute();
      return rows.map(({ body }) => body);
    },
    async mergedSince(since) {
      const rows = await db
        .selectFrom("pull_request")
        .select(["key", "opened_at", "merged_at", "previewed", "bot"])
        .where("merged_at", ">", new Date(since))
        .orderBy("merged_at", "desc")
        .orderBy("key", "desc")
        .limit(rowsMax)
        .execute();
      return rows.reverse().flatMap(({ key, opened_at: opened, merged_at: merged, previewed, bot }) =>
        merged
          ? [
              {
                key,
                openedAt: opened.toISOString(),
                mergedAt: merged.toISOString(),
                previewed: previewed === true,
                bot,
              },
            ]
          : [],
      );
    },
    async pullsKnownSince() {
      const row = await db
        .selectFrom("pull_request")
        .select(({ fn }) => fn.min("noted_at").as("at"))
        .executeTakeFirst();
      return row?.at ? new Date(row.at).toISOString() : undefined;
    },
  };
}

/** Forgets merges of long ago, and what no list shows any more and nobody could read. */
export async function prunePullRequests(db: Kysely<Tables>): Promise<void> {
  await sql`delete from pull_request where merged_at < now() - make_interval(days => ${MERGED_KEPT_DAYS})`.execute(db);
  await sql`delete from pull_request
    where merged_at is null and seen_at < now() - make_interval(days => ${UNSEEN_KEPT_DAYS})`.execute(db);
}
