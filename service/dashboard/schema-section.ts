import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import { definitionOf, isLoss, nameOf, schemaSummary, sinceOf } from "../schema-words.ts";

/** What migrations made of its database; nothing where nothing differs. */
export function schemaList({ schema }: PreviewView): Html {
  if (!schema) return html``;
  const { changes, counts } = schema;
  const more = counts.added + counts.changed + counts.dropped - changes.length;
  const lines = changes.map((change) => {
    const what = html`${change.change} ${change.kind} <code>${nameOf(change.table, change.name)}</code>`;
    const says = definitionOf(change);
    return html`<li>${isLoss(change) ? html`<b>${what}</b>` : what}${says && html` <span class="soft">${says}</span>`}</li>`;
  });
  return html`<h3>Database schema: ${schemaSummary(schema)}</h3>
<p class="soft">Against ${sinceOf(schema)}.</p><ul class="things">${lines}${more > 0 && html`<li>and ${more} more</li>`}</ul>`;
}
