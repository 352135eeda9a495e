/** What a preview may call, and what it was refused. */
import type { PreviewView } from "../api/preview-view.ts";
import { refusedLine } from "../egress/words.ts";
import { type Html, html } from "../html.ts";

const SHOWN = 10;

/** Nothing where nothing was refused. */
export function refusedSection({ refusedCalls = [] }: Pick<PreviewView, "refusedCalls">): Html {
  if (refusedCalls.length === 0) return html``;
  const more = refusedCalls.length - SHOWN;
  return html`<section class="card" id="refused-calls"><h2>Refused calls</h2>
<p class="soft">The preview called hosts that it may not call. Name those it needs under <code>hosts</code> of an entry of <code>external</code> in preview.yaml.</p>
<ul>${refusedCalls.slice(0, SHOWN).map((call) => html`<li>${refusedLine(call)}</li>`)}</ul>
${more > 0 && html`<p class="soft">and ${String(more)} more; <code>stackling show</code> lists them all</p>`}</section>`;
}
