import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { openDatabase } from "./database.mjs";

/** Also catches what was placed while nobody listened. */
const POLL_MS = 5_000;
const PACKING_MS = Number(process.env.PACKING_MS ?? 1_500);

const database = openDatabase(1);
const stopping = new AbortController();
let wake = () => {};
let heard = false;

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    stopping.abort();
    wake();
  });
}

const listening = listen();
console.log("waiting for orders");
while (!stopping.signal.aborted) {
  const order = await packNext();
  if (!order) await rest();
}
await listening.catch(() => {});
await database.end();

/** Marks the oldest placed order packed; SKIP LOCKED lets several workers share the table. */
async function packNext() {
  try {
    const { rows } = await database.query(
      `UPDATE orders SET status = 'packed', packed_at = now()
        WHERE id = (SELECT id FROM orders
                     WHERE status = 'placed' AND placed_at <= now() - make_interval(secs => $1 / 1000.0)
                     ORDER BY placed_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING number`,
      [PACKING_MS],
    );
    if (rows[0]) console.log(`packed order ${rows[0].number}`);
    return rows[0];
  } catch (error) {
    console.error(`packing failed: ${error.message}`);
    return undefined;
  }
}

/** Until an order is heard of and has had its time to be packed, or the next poll is due. */
async function rest() {
  if (!heard) {
    const timer = new AbortController();
    const called = new Promise((resolve) => {
      wake = resolve;
    });
    await Promise.race([called, pause(POLL_MS, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
  }
  if (heard) await pause(PACKING_MS, undefined, { signal: stopping.signal }).catch(() => {});
  heard = false;
}

/** Hears of new orders at once; ends with the process, and the poll covers a lost connection. */
async function listen() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  client.on("error", (error) => console.error(`no longer hearing of orders: ${error.message}`));
  client.on("notification", () => {
    heard = true;
    wake();
  });
  await client.connect();
  await client.query("LISTEN order_placed");
  if (!stopping.signal.aborted) {
    await new Promise((resolve) => {
      stopping.signal.addEventListener("abort", resolve, { once: true });
    });
  }
  await client.end();
}
