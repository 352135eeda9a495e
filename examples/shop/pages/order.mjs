import { lineRow, totalRow } from "./cart.mjs";
import { html, raw } from "./html.mjs";
import { layout } from "./layout.mjs";

const WORDS = { placed: "Placed: being packed", packed: "Packed" };

export function orderPage({ order, cartCount, user, apiUrl }) {
  return layout({
    title: `Order ${order.number}`,
    cartCount,
    user,
    main: html`<section class="panel"><h1>Order ${order.number}</h1>
<p>Thank you, ${order.customer}. <span id="status" class="badge ${order.status}">${WORDS[order.status]}</span></p>
${order.lines.map((line) => lineRow(line))}
${totalRow(order.lines)}
<a href="/">Back to the teas</a></section>
${order.status === "placed" && apiUrl && html`<script>${raw(watch(`${apiUrl}/api/v1/orders/${order.id}`))}</script>`}`,
  });
}

/** Asks the API, which is on a host of its own, until the worker has packed the order. */
function watch(address) {
  const safe = JSON.stringify(address).replaceAll("<", "\\u003c");
  return `
const badge = document.getElementById("status");
const timer = setInterval(async () => {
  const response = await fetch(${safe}).catch(() => undefined);
  const order = response?.ok ? await response.json() : undefined;
  if (order?.status !== "packed") return;
  badge.textContent = ${JSON.stringify(WORDS.packed)};
  badge.classList.add("packed");
  clearInterval(timer);
}, 1000);`;
}
