/** What a preview's services print, all of them or one. */
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";

const TAIL = 200;

export interface LogSection {
  readonly view: Pick<PreviewView, "key">;
  readonly services: readonly string[];
  /** One of them; undefined: all. */
  readonly chosen?: string;
}

export function logSection({ view: { key }, services, chosen }: LogSection): Html {
  const source = `/api/v1/previews/${encodeURIComponent(key)}/logs`;
  const one = chosen === undefined ? "" : `&service=${encodeURIComponent(chosen)}`;
  const link = (name: string | undefined) =>
    html`<a href="${detailHref(key)}${name === undefined ? "" : `?service=${encodeURIComponent(name)}`}#logs"${name === chosen && html` aria-current="true"`}>${name ?? "All"}</a>`;
  return html`<section class="card" id="logs"><div class="row"><h2>Application log</h2>${
    services.length > 1 && html`<nav class="filters" aria-label="Services">${[undefined, ...services].map(link)}</nav>`
  }</div>
<div class="log" id="application-log" data-src="${`${source}?tail=${TAIL}&follow=1${one}`}">
<p class="actions small"><label><input type="checkbox" data-follow checked> Follow</label></p>
<pre class="output" id="log" data-keeps tabindex="0" role="log" aria-live="off" aria-label="Logs"></pre></div>
<noscript><p><a href="${`${source}?tail=${TAIL}${one}`}">Show the last lines</a></p></noscript></section>`;
}
