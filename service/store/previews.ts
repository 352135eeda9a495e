/** Previews as rows: reading, writing under a row lock, and telling every replica. */
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import type { AuditNote } from "../audit.ts";
import { changeStatus, type Preview } from "../status.ts";
import { addAuditEntries } from "./audit.ts";
import { storable, storableJson } from "./json.ts";
import { requireLease, type WriteLease } from "./lease.ts";
import type { MoveListener } from "./moves.ts";
import { addHistory } from "./records.ts";
import type { HistoryEntry, Store } from "./store.ts";
import type { PreviewTable, Tables } from "./tables.ts";

export const PREVIEW_CHANNEL = "stackling_preview";

type PreviewStore = Pick<
  Store,
  | "find"
  | "findByStack"
  | "list"
  | "current"
  | "create"
  | "update"
  | "updateAndNote"
  | "setStatus"
  | "setDue"
  | "due"
  | "visited"
>;

export interface PreviewStoreDeps {
  readonly db: Kysely<Tables>;
  readonly now: () => string;
  /** Told of each move behind its commit. Never throws. */
  readonly moved: MoveListener;
}

export function previewStore({ db, now, moved }: PreviewStoreDeps): PreviewStore {
  const write = (
    key: string,
    change: Parameters<Store["update"]>[1],
    { held, also }: WriteOptions = {},
  ): Promise<Preview | undefined> =>
    db.transaction().execute(async (transaction) => {
      if (held) await requireLease(transaction, held);
      const row = await transaction
        .selectFrom("preview")
        .selectAll()
        .where("key", "=", key)
        .forUpdate()
        .executeTakeFirst();
      if (!row) return undefined;
      const before = toPreview(row);
      const preview = { ...before, ...change(before), key, revision: before.revision + 1 };
      await transaction.updateTable("preview").set(toColumns(preview)).where("key", "=", key).execute();
      await also?.(transaction, before, preview);
      await notify(transaction, key);
      return preview;
    });

  return {
    update: (key, change, held) => write(key, change, { held }),
    updateAndNote(key, change) {
      let entries: readonly HistoryEntry[] = [];
      let notes: readonly AuditNote[] = [];
      const fieldsOf = (preview: Preview) => {
        const { fields, history, audit = [] } = change(preview);
        entries = history.map((entry) => ({ ...entry, key }));
        notes = audit;
        return fields;
      };
      const also = async (transaction: Transaction<Tables>) => {
        await addHistory(transaction, entries);
        await addAuditEntries(
          transaction,
          notes.map((note) => ({ ...note, at: note.at ?? now() })),
        );
      };
      return write(key, fieldsOf, { also });
    },
    // Strangers ask by whatever text they like.
    async find(key) {
      const row = await db.selectFrom("preview").selectAll().where("key", "=", storable(key)).executeTakeFirst();
      return row && toPreview(row);
    },
    async findByStack(stack) {
      const row = await db.selectFrom("preview").selectAll().where("stack", "=", storable(stack)).executeTakeFirst();
      return row && toPreview(row);
    },
    async list({ gone = false, repository } = {}) {
      let query = db.selectFrom("preview").selectAll().orderBy("created_at", "desc").orderBy("key");
      if (!gone) query = query.where("gone_at", "is", null);
      if (repository !== undefined) query = query.where("repository", "=", repository);
      return (await query.execute()).map(toPreview);
    },
    current: currentPreviews(db),
    create: (preview) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .insertInto("preview")
          .values({ key: preview.key, ...toColumns({ ...preview, revision: 1 }) })
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        if (row) await notify(transaction, preview.key);
        return toPreview(
          row ??
            (await transaction
              .selectFrom("preview")
              .selectAll()
              .where("key", "=", preview.key)
              .executeTakeFirstOrThrow()),
        );
      }),
    async setStatus(key, status, held) {
      const befores: Preview[] = [];
      const also: WriteOptions["also"] = async (transaction, before, after) => {
        if (await recordMove(transaction, before, after)) befores.push(before);
      };
      const change = (preview: Preview) => ({ status: changeStatus(preview.status, status, now()) });
      const after = await write(key, change, { held, also });
      for (const before of befores) if (after) moved(before, after);
      return after;
    },
    async setDue(key, dueAt) {
      await db
        .updateTable("preview")
        .set({ due_at: dueAt ?? null })
        .where("key", "=", key)
        .execute();
    },
    async due(at) {
      const rows = await db.selectFrom("preview").select("key").where("due_at", "<=", new Date(at)).execute();
      return rows.map((row) => row.key);
    },
    async visited(visits) {
      const keys = Object.keys(visits).sort();
      if (keys.length === 0) return;
      const times = keys.map((key) => visits[key]);
      await sql`
        update preview set last_visit_at = visit.at
        from unnest(${keys}::text[], ${times}::timestamptz[]) as visit (key, at)
        where preview.key = visit.key and (last_visit_at is null or last_visit_at < visit.at)`.execute(db);
    },
  };
}

/** Postgres gives a row another `xmin` whenever somebody writes it, whatever they write. */
function currentPreviews(db: Kysely<Tables>): Store["current"] {
  const kept = new Map<string, { readonly version: string; readonly preview: Preview }>();
  return async () => {
    const { rows } = await sql<{ key: string; version: string }>`
      select key, xmin::text as version from preview where gone_at is null order by created_at desc, key`.execute(db);
    const changed = rows.filter(({ key, version }) => kept.get(key)?.version !== version).map(({ key }) => key);
    if (changed.length > 0) {
      const read = await db
        .selectFrom("preview")
        .selectAll()
        .select(sql<string>`xmin::text`.as("version"))
        .where(sql<boolean>`key = any(${changed})`)
        .execute();
      for (const row of read) kept.set(row.key, { version: row.version, preview: toPreview(row) });
    }
    const here = new Set(rows.map(({ key }) => key));
    for (const key of kept.keys()) if (!here.has(key)) kept.delete(key);
    return rows.flatMap(({ key }) => kept.get(key)?.preview ?? []);
  };
}

interface WriteOptions {
  /** Only while this lease is its stack's newest. */
  readonly held?: WriteLease | undefined;
  /** In the same commit. */
  readonly also?: (transaction: Transaction<Tables>, before: Preview, after: Preview) => Promise<void>;
}

/** Every change of condition or reason is an entry of the history; false where there was none. */
async function recordMove(transaction: Transaction<Tables>, before: Preview, after: Preview): Promise<boolean> {
  const { condition, reason, message, since, headSha } = after.status;
  if (condition === before.status.condition && reason === before.status.reason) return false;
  await addHistory(transaction, [{ key: after.key, at: since, reason, message, headSha }]);
  return true;
}

async function notify(transaction: Transaction<Tables>, key: string): Promise<void> {
  await sql`select pg_notify(${PREVIEW_CHANNEL}, ${key})`.execute(transaction);
}

function toPreview(row: Selectable<PreviewTable>): Preview {
  return {
    key: row.key,
    stack: row.stack,
    repository: row.repository,
    ...(row.number === null ? {} : { number: row.number }),
    gitBranch: row.git_branch,
    createdAt: row.created_at.toISOString(),
    lastPushAt: row.last_push_at.toISOString(),
    ...(row.last_visit_at ? { lastVisitAt: row.last_visit_at.toISOString() } : {}),
    ...(row.due_at ? { dueAt: row.due_at.toISOString() } : {}),
    intents: row.intents,
    status: row.status,
    ...(row.pull_request ? { pullRequest: row.pull_request } : {}),
    handles: row.handles,
    revision: row.revision,
  };
}

function toColumns(preview: Preview) {
  return {
    stack: preview.stack,
    repository: preview.repository,
    number: preview.number ?? null,
    git_branch: preview.gitBranch,
    created_at: preview.createdAt,
    last_push_at: preview.lastPushAt,
    last_visit_at: preview.lastVisitAt ?? null,
    gone_at: preview.status.goneAt ?? null,
    intents: storableJson(preview.intents),
    status: storableJson(preview.status),
    pull_request: preview.pullRequest ? storableJson(preview.pullRequest) : null,
    handles: storableJson(preview.handles),
    revision: preview.revision,
  };
}
