/** What was removed, and the proof of it. */
import { type Html, html } from "../html.ts";
import type { Receipt } from "../status.ts";
import { typeWords } from "./resource-tree.ts";
import { ago, spanOf } from "./times.ts";

export function receiptsSection(receipts: readonly Receipt[], now: Date): Html {
  if (receipts.length === 0) return html``;
  return html`<section class="card" id="receipts"><h2>${receipts.length === 1 ? "Receipt" : "Receipts"}</h2>${receipts.map(
    (receipt) => receiptOf(receipt, now),
  )}</section>`;
}

function receiptOf({ at, reason, evidence, removed, proof, durationMs }: Receipt, now: Date): Html {
  const took = spanOf(at, new Date(Date.parse(at) + durationMs).toISOString());
  const left = proof.reduce((sum, { found }) => sum + found, 0);
  return html`<details class="receipt"><summary><b>${reason}</b> ${ago(at, now)} <span class="soft">${removed.length} resources in ${took}, ${
    left === 0 ? "nothing left" : `${left} left`
  }</span></summary>
${evidence !== undefined && html`<p>${evidence}</p>`}
<div class="columns"><div><h3>Looked for again</h3><ul class="things">${proof.map(({ what, found }) => html`<li>${what}: ${found === 0 ? "none" : found}</li>`)}</ul></div>
<div><h3>Removed</h3><ul class="things">${removed.map((urn) => html`<li>${removedWords(urn)}</li>`)}</ul></div></div></details>`;
}

/** `urn:pulumi:shop-pr-1::stackling::stackling:local:Folder$stackling:local:Route::web` as `route web` */
function removedWords(urn: string): Html {
  const [, , types = "", name = urn] = urn.split("::");
  return html`${typeWords(types.split("$").at(-1) ?? types)} <code>${name}</code>`;
}
