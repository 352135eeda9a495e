import { buildInfo } from "../build-info.mjs";
import { theme } from "../theme.mjs";
import { html, raw } from "./html.mjs";
import { style } from "./style.mjs";

/** The frame of every page; the footer tells which preview and commit it comes from. */
export function layout({ title, cartCount, user, main }) {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Kettle &amp; Leaf</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon())}">
<style>${raw(style(theme))}</style>
</head>
<body>
<header>
<a class="brand" href="/">${raw(leaf())}<span>Kettle <i>&amp;</i> Leaf</span></a>
${user && whoIs(user)}
<a class="cart" href="/cart">Cart${cartCount > 0 && html` <b>${cartCount}</b>`}</a>
</header>
<main>${main}</main>
<footer>
<span>Kettle &amp; Leaf is an example shop; nothing is sold here.</span>
<span class="build">preview <b>${buildInfo.preview}</b> · commit <b>${buildInfo.commit.slice(0, 7)}</b></span>
</footer>
</body>
</html>
`);
}

function whoIs({ name, title }) {
  return html`<form class="who" method="post" action="/logout"><span title="${title}">Logged in as <b>${name}</b></span><button class="plain">log out</button></form>`;
}

function leaf() {
  return `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20 3C9 3 4 8.500 4 14c0 1.800.5 3.400 1.300 4.700C7 13 10.500 9.500 15 8c-3.700 2.500-6.700 6.200-8 11.500A7.500 7.500 0 0 0 11 21c7 0 9-8 9-18z" fill="currentColor"/></svg>`;
}

function icon() {
  return leaf().replace("<svg ", `<svg xmlns="http://www.w3.org/2000/svg" color="${theme.accent}" `);
}
