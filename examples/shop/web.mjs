import { readStatus } from "./build-info.mjs";
import { addToCart, cartLines, cartOf, findOrder, placeOrder, removeFromCart } from "./cart.mjs";
import { openDatabase } from "./database.mjs";
import { isPreview, logIn, logOut, userOf } from "./login.mjs";
import { confirmOrder } from "./mail.mjs";
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
    const user = await userOf(database, request);
    return { body: homePage({ products: rows, cartCount: count(lines), user }), headers: cart.headers };
  },
  "GET /cart": async ({ request }) => {
    const cart = cartOf(request);
    const user = await userOf(database, request);
    return { body: cartPage({ lines: await cartLines(database, cart.id), user }), headers: cart.headers };
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
    const user = await userOf(database, request);
    const email = (form.get("email") ?? "").trim().slice(0, 200);
    const orderId = await placeOrder(database, cart.id, { customer, userName: user?.name });
    if (orderId && email) confirmOrder(await findOrder(database, orderId), email);
    return redirect(orderId ? `/orders/${orderId}` : "/cart", cart.headers);
  },
  "GET /orders/:id": async ({ request, params }) => {
    const user = await userOf(database, request);
    const order = await findOrder(database, params.id);
    // Of a user it is that user's alone.
    if (!order || (order.userName !== null && order.userName !== user?.name)) return undefined;
    const cartCount = count(await cartLines(database, cartOf(request).id));
    return { body: orderPage({ order, cartCount, user, apiUrl: process.env.API_URL }) };
  },
  /** Where Stackling logs a tester in as one of the seeds' users; only in its previews. */
  "GET /stackling-login": async ({ request }) => {
    if (!isPreview) return undefined;
    const token = new URL(request.url, "http://shop.invalid").searchParams.get("token") ?? "";
    const headers = await logIn(database, token);
    if (headers) return redirect("/", headers);
    return { status: 403, type: "text/plain", body: "This login is over, or names nobody here. Ask for it again.\n" };
  },
  "POST /logout": async ({ request }) => redirect("/", await logOut(database, request)),
};

serve(routes, () => database.end());

function count(lines) {
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}
