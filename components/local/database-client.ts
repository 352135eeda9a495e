import pg from "pg";

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * One connection for the length of `work`, closed afterwards whatever happens. When `signal` aborts,
 * the server is asked to cancel the statement under way: closing our end alone would not stop it.
 */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "stackling",
  });
  // The server's goodbye to an idle connection; what matters reaches us as the failure of a query.
  client.on("error", () => undefined);
  await client.connect();
  const forget = signal ? await cancelOn(url, client, signal) : () => undefined;
  try {
    return await work(client);
  } finally {
    forget();
    await client.end();
  }
}

async function cancelOn(url: string, client: pg.Client, signal: AbortSignal): Promise<() => void> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const cancel = () => {
    // Best effort: when the server is out of reach, the statement fails by itself.
    withClient(url, (other) => other.query("SELECT pg_cancel_backend($1)", [rows[0]?.pid])).catch(() => undefined);
  };
  signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}
