import pg from "pg";

/** A small pool on DATABASE_URL; `max` stays low because previews share one server. */
export function openDatabase(max = 4) {
  const connectionString = process.env.DATABASE_URL;
  if (!connectionString) throw new Error("DATABASE_URL is not set: the shop keeps its products and orders in Postgres");
  const pool = new pg.Pool({ connectionString, max });
  // A lost connection is replaced by the pool; without a listener it would end the process.
  pool.on("error", (error) => console.error(`database connection lost: ${error.message}`));
  return pool;
}

/** Runs `work` on one connection inside a transaction and returns its result. */
export async function transaction(pool, work) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}
