import { html, money, raw } from "./html.mjs";
import { layout } from "./layout.mjs";

export function cartPage({ lines, user }) {
  const cartCount = lines.reduce((sum, line) => sum + line.quantity, 0);
  return layout({ title: "Cart", cartCount, user, main: lines.length > 0 ? filled(lines, user) : empty() });
}

/** One product with its quantity, in carts and orders alike. */
export function lineRow(line, action) {
  return html`<div class="line">${raw(line.picture)}
<span class="name">${line.name}<small>${line.quantity} × ${money(line.priceCents)}</small></span>
<span class="price">${money(line.quantity * line.priceCents)}</span>${action}</div>`;
}

export function totalRow(lines) {
  const cents = lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0);
  return html`<div class="row total"><span>Total</span><span class="price">${money(cents)}</span></div>`;
}

function filled(lines, user) {
  return html`<section class="panel"><h1>Your cart</h1>
${lines.map((line) => lineRow(line, removeForm(line)))}
${totalRow(lines)}
<form method="post" action="/orders">
<label for="customer">Who is it for?</label>
<input id="customer" name="customer" maxlength="80" autocomplete="name" placeholder="Your name" value="${user?.name}" required>
<label for="email">Where may we send the confirmation?</label>
<input id="email" name="email" type="email" maxlength="200" autocomplete="email" placeholder="ada@example.com, or nothing" value="${addressOf(user)}">
<button>Place the order</button>
</form></section>`;
}

/** The shop knows its users by name only; those of its seeds have mail at a host that nobody has. */
function addressOf(user) {
  return user && (user.name.includes("@") ? user.name : `${user.name}@kettle-and-leaf.example`);
}

function removeForm(line) {
  return html`<form method="post" action="/cart/remove"><button class="plain" name="product" value="${line.id}" aria-label="Remove ${line.name}">remove</button></form>`;
}

function empty() {
  return html`<section class="panel"><h1>Your cart is empty</h1><p><a href="/">Look at the teas</a> and put one in.</p></section>`;
}
