import { withClient } from "../../components/local/database-client.ts";
import { findServer } from "../../test/e2e/support/servers.ts";

/** How many of these deliveries the store of a data folder holds. */
export async function storedOf(dataDir: string, ids: readonly string[]): Promise<number> {
  const { url } = await findServer(dataDir, "store");
  const { rows } = await withClient(url, (client) =>
    client.query<{ stored: string }>("SELECT count(*) AS stored FROM delivery WHERE delivery_id = ANY($1)", [ids]),
  );
  return Number(rows[0]?.stored);
}
