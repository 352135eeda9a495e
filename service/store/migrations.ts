import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { TerminalError } from "../../components/errors.ts";
import { SEATS } from "../caps/migration.ts";
import { DEPLOYMENTS } from "../deployments/migration.ts";
import { HOOKS } from "../hooks/migration.ts";
import { KPIS } from "../kpis/store.ts";
import { BUDGETS } from "../money/budgets/store.ts";
import { COSTS } from "../money/ledger.ts";
import { TOKENS } from "../tokens/store.ts";
import { TRENDS } from "../trends/store.ts";
import { AUDIT } from "./audit.ts";
import { FORGE_CREDENTIALS } from "./forge-credentials.ts";
import { IDENTITIES } from "./identities.ts";
import type { Tables } from "./tables.ts";

/**
 * Every step that was ever released; a released one is never edited, a change is a new one. Steps only add,
 * so that replicas of the last version go on, and may start again, beside one that migrated: what a version
 * drops, the one before has not used. A step that cannot be so has `-breaking-` in its name.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-ground": { up: (db) => run(db, GROUND) },
  "0002-operation": { up: (db) => run(db, OPERATION) },
  "0003-seats": { up: (db) => run(db, SEATS) },
  "0006-repository-id": { up: (db) => run(db, IDENTITIES) },
  "0007-forge-credentials": { up: (db) => run(db, FORGE_CREDENTIALS) },
  "0008-audit": { up: (db) => run(db, AUDIT) },
  "0009-tokens": { up: (db) => run(db, TOKENS) },
  "0010-deploy-log": { up: (db) => run(db, DEPLOYMENTS) },
  "0011-hooks": { up: (db) => run(db, HOOKS) },
  "0014-trends": { up: (db) => run(db, TRENDS) },
  "0015-costs": { up: (db) => run(db, COSTS) },
  "0016-budgets": { up: (db) => run(db, BUDGETS) },
  "0017-kpis": { up: (db) => run(db, KPIS) },
};

/**
 * Brings the store's tables to this version. Whoever calls it holds a lock, for versions that differ. A store that a newer version brought further is left as it is.
 * Throws `TerminalError` (`StoreTooNew`), and nothing is touched, when a step there breaks with this version.
 *
 * @param steps all that this version knows, by name
 */
export async function migrate(
  db: Kysely<Tables>,
  steps: Readonly<Record<string, Migration>> = migrations,
): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...steps }) } });
  const done = await stepsDone((text) => sql.raw<{ name: string | null }>(text).execute(db));
  const newer = done.filter((name) => !(name in steps));
  const breaking = newer.find((name) => name.includes("-breaking-"));
  if (breaking !== undefined) {
    throw new TerminalError({
      reason: "StoreTooNew",
      userMessage: `opening the store: a newer Stackling brought it to "${breaking}", which this version cannot work with; start that version, or restore a backup from before`,
    });
  }
  if (newer.length > 0 && Object.keys(steps).every((name) => done.includes(name))) return;
  const { error } = await migrator.migrateToLatest();
  if (error) throw new Error("migrating the store", { cause: error });
}

type Ask = (text: string) => Promise<{ readonly rows: readonly { readonly name: string | null }[] }>;

/** Names of the steps that made the tables, oldest first, by whatever connection; none in an empty database. */
export async function stepsDone(ask: Ask): Promise<readonly string[]> {
  const made = await ask("select to_regclass('kysely_migration')::text as name");
  if (!made.rows[0]?.name) return [];
  const { rows } = await ask("select name from kysely_migration order by name");
  return rows.flatMap(({ name }) => name ?? []);
}

async function run(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const GROUND = [
  `create table preview (
     key text primary key, stack text not null unique, repository text not null, number integer,
     git_branch text not null, created_at timestamptz not null, last_push_at timestamptz not null,
     last_visit_at timestamptz, due_at timestamptz, gone_at timestamptz,
     intents jsonb not null, status jsonb not null, pull_request jsonb, handles jsonb not null,
     revision integer not null default 1)`,
  `create index preview_due on preview (due_at) where due_at is not null`,
  `create table delivery (
     forge text not null, delivery_id text not null, event text not null, key text,
     at timestamptz not null default now(), primary key (forge, delivery_id))`,
  `create index delivery_at on delivery (at)`,
  `create table lease (
     stack text primary key, holder text not null, fence bigint not null, expires_at timestamptz not null)`,
  `create table engine_run (
     id bigint generated always as identity primary key, stack text not null, host text not null,
     pid integer not null, start_time text not null, at timestamptz not null default now())`,
  `create index engine_run_stack on engine_run (stack, id desc)`,
  `create table claim (job_id uuid primary key, key text not null, holder text not null)`,
  `create index claim_holder on claim (holder)`,
  `create table history (
     id bigint generated always as identity primary key, key text not null, at timestamptz not null,
     reason text not null, message text not null, head_sha text)`,
  `create index history_key on history (key, id desc)`,
  `create table receipt (
     id bigint generated always as identity primary key, key text not null, at timestamptz not null, body jsonb not null)`,
  `create index receipt_key on receipt (key, id desc)`,
  `create table counter (name text primary key, value bigint not null)`,
  `create table repository (name text primary key, path text not null unique, body jsonb not null)`,
];

const OPERATION = [
  `create table setting (name text primary key, body jsonb not null)`,
  `create table sweep (
     id bigint generated always as identity primary key, at timestamptz not null, body jsonb not null)`,
];
