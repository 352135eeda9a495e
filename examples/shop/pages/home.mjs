import { theme } from "../theme.mjs";
import { html, money, raw } from "./html.mjs";
import { layout } from "./layout.mjs";

export function homePage({ products, cartCount, user }) {
  return layout({
    title: theme.headline,
    cartCount,
    user,
    main: html`<section class="hero"><h1>${theme.headline}</h1><p>${theme.tagline}</p></section>
<section class="grid">${products.map(card)}</section>`,
  });
}

function card(product) {
  return html`<article class="card">
<div class="picture">${raw(product.picture)}</div>
<span class="origin">${product.origin}</span>
<h2>${product.name}</h2>
<p>${product.note}</p>
<form class="row" method="post" action="/cart/add">
<span class="price">${money(product.priceCents)}</span>
<button name="product" value="${product.id}" aria-label="Add ${product.name} to the cart">Add</button>
</form>
</article>`;
}
