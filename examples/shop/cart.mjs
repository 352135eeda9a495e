import { randomUUID } from "node:crypto";
import { transaction } from "./database.mjs";

const COOKIE = "cart";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The visitor's cart by cookie; a new one, with the header that sets it, on the first visit. */
export function cartOf(request) {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  const id = pairs.find(([name]) => name === COOKIE)?.[1];
  if (id && UUID.test(id)) return { id, headers: {} };
  const fresh = randomUUID();
  return { id: fresh, headers: { "set-cookie": `${COOKIE}=${fresh}; Path=/; HttpOnly; SameSite=Lax` } };
}

export async function cartLines(database, cartId) {
  const { rows } = await database.query(
    `SELECT p.id, p.name, p.picture, p.price_cents AS "priceCents", l.quantity
       FROM cart_lines l JOIN products p ON p.id = l.product_id
      WHERE l.cart_id = $1 ORDER BY l.added_at`,
    [cartId],
  );
  return rows;
}

export async function addToCart(database, cartId, productId) {
  await database.query(
    `INSERT INTO cart_lines (cart_id, product_id, quantity)
     SELECT $1, id, 1 FROM products WHERE id = $2
     ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = least(cart_lines.quantity + 1, 99)`,
    [cartId, productId],
  );
}

export async function removeFromCart(database, cartId, productId) {
  await database.query("DELETE FROM cart_lines WHERE cart_id = $1 AND product_id = $2", [cartId, productId]);
}

/** Turns the cart into an order and tells the worker; undefined when the cart is empty. */
export async function placeOrder(database, cartId, { customer, userName = null }) {
  return transaction(database, async (client) => {
    const { rows } = await client.query("INSERT INTO orders (customer, user_name) VALUES ($1, $2) RETURNING id", [
      customer,
      userName,
    ]);
    const orderId = rows[0].id;
    const moved = await client.query(
      `WITH taken AS (DELETE FROM cart_lines WHERE cart_id = $1 RETURNING product_id, quantity)
       INSERT INTO order_lines (order_id, product_id, quantity, price_cents)
       SELECT $2, p.id, t.quantity, p.price_cents FROM taken t JOIN products p ON p.id = t.product_id`,
      [cartId, orderId],
    );
    if (moved.rowCount === 0) {
      await client.query("DELETE FROM orders WHERE id = $1", [orderId]);
      return undefined;
    }
    await client.query("NOTIFY order_placed");
    return orderId;
  });
}

export async function findOrder(database, id) {
  const { rows } = await database.query(
    `SELECT id, number::int, customer, status, user_name AS "userName" FROM orders WHERE id::text = $1`,
    [id],
  );
  if (!rows[0]) return undefined;
  const lines = await database.query(
    `SELECT p.id, p.name, p.picture, l.price_cents AS "priceCents", l.quantity
       FROM order_lines l JOIN products p ON p.id = l.product_id WHERE l.order_id = $1 ORDER BY p.position`,
    [id],
  );
  return { ...rows[0], lines: lines.rows };
}
