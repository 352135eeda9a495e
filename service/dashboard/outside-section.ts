/** Whom a preview talks to: the inboxes that catch what it sends, what it may call, and what it was refused. */
import type { PreviewView } from "../api/preview-view.ts";
import { egressLine } from "../egress/words.ts";
import { type Html, html, safeHref } from "../html.ts";
import { refusedSection } from "./egress-section.ts";

/** Nothing where it talks to nobody. */
export function outsideSection(view: PreviewView): Html {
  const { inboxes = [], refusedCalls = [], egress, stage } = view;
  if (stage === "Gone" || (inboxes.length === 0 && refusedCalls.length === 0 && !egress)) return html``;
  return html`<section class="card" id="outside"><h2>Services of others</h2>
${inboxes.length > 0 && html`<p>What it sends is caught: ${inboxes.map(({ name, url }, index) => html`${index > 0 && ", "}<a href="${safeHref(url)}">Inbox ${name}</a>`)}.</p>`}
${egress && html`<p>Calls: ${egressLine(view)}</p>`}
<p class="soft"><a href="/services">What each is</a> in production, in previews and where people develop.</p></section>${refusedSection(view)}`;
}
