import { readStatus } from "./build-info.mjs";
import { addToCart, cartLines, cartOf, findOrder, placeOrder, removeFromCart } from "./cart.mjs";
import { openDatabase } from "./database.mjs";
import { cartPage } from "./pages/cart.mjs";
import { homePage } from "./pages/home.mjs";
import { orderPage } from "./pages/order.mjs";
import { json, readForm, redirect, serve } from "./server.mjs";

const database = openDatabase();

const routes = {
  "GET /health": async () => {
    await database.query("SELECT 1");
    return json({ ok: true });
  },
  "GET /api/v1/status": async () => json(await readStatus(database, "web")),
  "GET /": async ({ request }) => {
    const cart = cartOf(request);
    const { rows } = await database.query(
      `SELECT id, name, note, origin, price_cents AS "priceCents", picture FROM products ORDER BY position, id`,
    );
    const lines = await cartLines(database, cart.id);
    return { body: homePage({ products: rows, cartCount: count(lines) }), headers: cart.headers };
  },
  "GET /cart": async ({ request }) => {
    const cart = cartOf(request);
    return { body: cartPage({ lines: await cartLines(database, cart.id) }), headers: cart.headers };
  },
  "POST /cart/add": async ({ request }) => {
    const cart = cartOf(request);
    const form = await readForm(request);
    await addToCart(database, cart.id, form.get("product") ?? "");
    return redirect("/cart", cart.headers);
  },
  "POST /cart/remove": async ({ request }) => {
    const cart = cartOf(request);
    const form = await readForm(request);
    await removeFromCart(database, cart.id, form.get("product") ?? "");
    return redirect("/cart", cart.headers);
  },
  "POST /orders": async ({ request }) => {
    const cart = cartOf(request);
    const form = await readForm(request);
    const customer = (form.get("customer") ?? "").trim().slice(0, 80) || "A friend of tea";
    const orderId = await placeOrder(database, cart.id, customer);
    return redirect(orderId ? `/orders/${orderId}` : "/cart", cart.headers);
  },
  "GET /orders/:id": async ({ request, params }) => {
    const order = await findOrder(database, params.id);
    if (!order) return undefined;
    const cartCount = count(await cartLines(database, cartOf(request).id));
    return { body: orderPage({ order, cartCount, apiUrl: process.env.API_URL }) };
  },
};

serve(routes, () => database.end());

function count(lines) {
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}
