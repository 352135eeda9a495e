import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { SEATS } from "../caps/migration.ts";
import { IDENTITIES } from "./identities.ts";
import type { Tables } from "./tables.ts";

/** Every step that was ever released; a released one is never edited, a change is a new one. */
const migrations: Record<string, Migration> = {
  "0001-ground": { up: (db) => run(db, GROUND) },
  "0002-operation": { up: (db) => run(db, OPERATION) },
  "0003-seats": { up: (db) => run(db, SEATS) },
  "0006-repository-id": { up: (db) => run(db, IDENTITIES) },
};

/**
 * Brings the store's tables to this version. Several may call it at once: Kysely's Migrator takes an
 * advisory lock of its own. A store of a newer version is refused by name, and nothing is touched.
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw new Error("migrating the store", { cause: error });
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
