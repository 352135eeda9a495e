/** Services of others over all repositories, as a table. */
import type { ServiceMatrix, ServiceRow } from "../external/matrix.ts";
import { type Html, html } from "../html.ts";
import { type Frame, layout } from "./layout.ts";

export function servicesPage(matrix: ServiceMatrix, frame: Frame): Html {
  const { services, warnings } = matrix;
  const live = html`<div class="head"><h1>Services</h1><p class="soft">${services.length === 1 ? "1 service" : `${services.length} services`} of others</p></div>
<p class="soft">What each repository's <code>preview.yaml</code> says on its default branch. What is named nowhere has no keys in a preview.</p>
${warnings.map(({ message }) => html`<div class="banner warning"><p>${message}</p></div>`)}
${services.length === 0 ? emptyCard() : tableOf(services)}`;
  return layout({ title: "Services", frame, liveUrl: "", live });
}

function emptyCard(): Html {
  return html`<div class="card empty"><h2>None is named</h2>
<p class="soft">List under <code>external</code> in <code>preview.yaml</code> what the application talks to, and it appears here.</p></div>`;
}

function tableOf(services: readonly ServiceRow[]): Html {
  return html`<div class="card wide" tabindex="0" role="region" aria-label="Services"><table class="matrix">
<thead><tr><th scope="col">Repository</th><th scope="col">Service</th><th scope="col">Production</th><th scope="col">Preview</th><th scope="col">Development</th><th scope="col">Secrets</th><th scope="col">Review</th></tr></thead>
<tbody>${services.map(rowOf)}</tbody></table></div>`;
}

function rowOf({ repository, name, production, preview, development, secrets, review, overdue }: ServiceRow): Html {
  return html`<tr><td>${repository}</td><th scope="row">${name}</th><td>${said(production)}</td><td>${preview}</td><td>${said(development)}</td>
<td>${secrets.map((secret) => html`<code>${secret}</code> `)}</td><td>${
    overdue ? html`<b class="bad-text">${review}, overdue</b>` : review
  }</td></tr>`;
}

function said(words: string | undefined): Html {
  return words === undefined ? html`<span class="soft">not said</span>` : html`${words}`;
}
