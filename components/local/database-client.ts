import pg from "pg";

const CONNECT_TIMEOUT_MS = 10_000;

/** One connection for the length of `work`, closed afterwards whatever happens. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "stackling",
  });
  // The server's goodbye to an idle connection; what matters reaches us as the failure of a query.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
