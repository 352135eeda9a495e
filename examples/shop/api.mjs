import { readStatus } from "./build-info.mjs";
import { openDatabase } from "./database.mjs";
import { json, serve } from "./server.mjs";

const database = openDatabase(2);

/** The shop's pages are on a host of their own and read the state of an order from here. */
const cors = process.env.SHOP_URL
  ? { "access-control-allow-origin": new URL(process.env.SHOP_URL).origin, vary: "origin" }
  : {};

const routes = {
  "GET /": async () => json({ name: "Kettle & Leaf", see: ["/api/v1/status", "/api/v1/products"] }),
  "GET /health": async () => {
    await database.query("SELECT 1");
    return json({ ok: true });
  },
  "GET /api/v1/status": async () => json(await readStatus(database, "api")),
  "GET /api/v1/products": async () => {
    const { rows } = await database.query(
      `SELECT id, name, note, origin, price_cents AS "priceCents" FROM products ORDER BY position, id`,
    );
    return json(rows, { headers: cors });
  },
  "GET /api/v1/orders/:id": async ({ params }) => {
    const { rows } = await database.query(
      `SELECT number::int, status, placed_at AS "placedAt", packed_at AS "packedAt" FROM orders WHERE id::text = $1`,
      [params.id],
    );
    return rows[0] && json(rows[0], { headers: cors });
  },
};

serve(routes, () => database.end());
