import { type Kysely, type Selectable, sql } from "kysely";
import { storable, storableJson } from "../store/json.ts";
import type { Tables } from "../store/tables.ts";
import { DEPLOYMENTS_KEPT, type DeployLine, type Deployment, type DeploymentStore } from "./deployment.ts";
import type { DeploymentTable } from "./tables.ts";

export const DEPLOYMENT_CHANNEL = "stackling_deployment";

/** Of previews that are gone for so long nobody asks how they were made. */
const GONE_KEPT_DAYS = 14;
/** Also of those that were forgotten without having gone. */
const KEPT_DAYS = 90;
/** Read at once. */
const BATCHES = 20;

export function deploymentStore({ db }: { readonly db: Kysely<Tables> }): Omit<DeploymentStore, "onDeployment"> {
  return {
    beginDeployment: ({ key, kind, commit, cause, at, steps }) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .updateTable("deployment")
          .set({ outcome: "interrupted", ended_at: at })
          .where("key", "=", key)
          .where("outcome", "=", "running")
          .execute();
        const { id } = await transaction
          .insertInto("deployment")
          .values({
            key,
            kind,
            commit_sha: commit ?? null,
            cause: storable(cause),
            at,
            outcome: "running",
            steps: storableJson(steps),
            lines: 0,
          })
          .returning("id")
          .executeTakeFirstOrThrow();
        await sql`delete from deployment where key = ${key} and id not in (
          select id from deployment where key = ${key} order by id desc limit ${DEPLOYMENTS_KEPT})`.execute(
          transaction,
        );
        await tell(transaction, id);
        return id;
      }),
    writeDeployment: ({ id, steps, lines, outcome, endedAt, reason, message }, batch) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .updateTable("deployment")
          .set({
            steps: storableJson(steps),
            lines,
            outcome,
            ended_at: endedAt ?? null,
            reason: reason ?? null,
            message: message === undefined ? null : storable(message),
          })
          .where("id", "=", id)
          // A successor that began before the end was written took this one for interrupted; what it says while it
          // still runs is told of no more.
          .where("outcome", "in", outcome === "running" ? ["running"] : ["running", "interrupted"])
          .returning("id")
          .executeTakeFirst();
        if (!row) return;
        const [first, last] = [batch.lines.at(0)?.n, batch.lines.at(-1)?.n];
        if (first !== undefined && last !== undefined) {
          const values = { deployment: id, first, last, lines: storableJson(batch.lines) };
          // Written twice where the answer to the first time was lost.
          await transaction
            .insertInto("deployment_output")
            .values(values)
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
        if (batch.forget.length > 0) {
          await transaction
            .deleteFrom("deployment_output")
            .where("deployment", "=", id)
            .where("first", "in", [...batch.forget])
            .execute();
        }
        await tell(transaction, id);
      }),
    async deployments(key) {
      const rows = await db
        .selectFrom("deployment")
        .selectAll()
        .where("key", "=", key)
        .orderBy("id", "desc")
        .limit(DEPLOYMENTS_KEPT)
        .execute();
      return rows.map(toDeployment);
    },
    async deployment(key, id) {
      if (!/^[1-9][0-9]{0,17}$/.test(id)) return undefined;
      const row = await db
        .selectFrom("deployment")
        .selectAll()
        .where("id", "=", id)
        .where("key", "=", key)
        .executeTakeFirst();
      return row && toDeployment(row);
    },
    async deployLines(id, after) {
      const rows = await db
        .selectFrom("deployment_output")
        .select("lines")
        .where("deployment", "=", id)
        .where("last", ">", after)
        .orderBy("first")
        .limit(BATCHES)
        .execute();
      return rows.flatMap(({ lines }) => lines.filter(({ n }: DeployLine) => n > after));
    },
  };
}

/** Forgets deployments of previews that are long gone. */
export async function pruneDeployments(db: Kysely<Tables>): Promise<void> {
  await sql`delete from deployment as old where at < now() - make_interval(days => ${KEPT_DAYS})
    and outcome <> 'running' and not exists (select from preview where preview.key = old.key)`.execute(db);
  await sql`delete from deployment as old where exists (select from preview where preview.key = old.key
    and gone_at < now() - make_interval(days => ${GONE_KEPT_DAYS}))`.execute(db);
}

async function tell(db: Kysely<Tables>, id: string): Promise<void> {
  await sql`select pg_notify(${DEPLOYMENT_CHANNEL}, ${id})`.execute(db);
}

function toDeployment(row: Selectable<DeploymentTable>): Deployment {
  return {
    id: row.id,
    key: row.key,
    kind: row.kind,
    ...(row.commit_sha === null ? {} : { commit: row.commit_sha }),
    cause: row.cause,
    at: row.at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
    outcome: row.outcome,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.message === null ? {} : { message: row.message }),
    steps: row.steps,
    lines: row.lines,
  };
}
