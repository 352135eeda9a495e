import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "./html.ts";
import { ago } from "./times.ts";

/** What was edited by hand, or could not be read; nothing where all is as it should be. */
export function driftSection({ drift }: PreviewView, now: Date): Html {
  if (!drift || (drift.differences.length === 0 && !drift.unread)) return html``;
  const { differences, unread, at } = drift;
  return html`<section class="card"><h2>Drift</h2>
${differences.length > 0 && html`<p>Edited by hand, as seen ${ago(at, now)}:</p><ul>${differences.map(({ message }) => html`<li>${message}</li>`)}</ul>`}
${unread && html`<p class="soft">It could not be compared with the world ${ago(unread.at, now)}: ${unread.message}</p>`}</section>`;
}
