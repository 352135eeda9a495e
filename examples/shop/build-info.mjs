/** Which preview and commit this process runs, as Stackling tells it; "local" when started by hand. */
export const buildInfo = {
  preview: process.env.STACKLING_KEY ?? "local",
  commit: process.env.STACKLING_COMMIT ?? "working tree",
};

/** What runs here and on which database: lets a person, or a test, tell two previews apart. */
export async function readStatus(database, service) {
  const { rows } = await database.query(
    `SELECT current_database() AS database,
            (SELECT count(*)::int FROM products) AS products,
            (SELECT count(*)::int FROM orders) AS orders`,
  );
  return { service, ...buildInfo, ...rows[0] };
}
