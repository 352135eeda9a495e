/** Who asked for what, when and from where, newest first. */
import type { Request, Router } from "express";
import { detailHref } from "../addresses.ts";
import { auditQuery } from "../api/routes/access.ts";
import type { Audit, AuditEntry, AuditPage } from "../audit.ts";
import { type Html, html } from "../html.ts";
import { minuteOf } from "../reason-words.ts";
import type { Answering } from "./answering.ts";
import { type Frame, layout } from "./layout.ts";
import { ago } from "./times.ts";

const SHOWN = 100;
const FILTERS = { key: "Preview", actor: "Who", action: "Action" } as const;
const SUCH_AS: Readonly<Record<keyof typeof FILTERS, string>> = { key: "shop#42", actor: "@ada", action: "redeploy" };
type Filters = Partial<Record<keyof typeof FILTERS, string>>;

export interface AuditPages extends Pick<Answering, "frameOf" | "send"> {
  readonly audit: Pick<Audit, "list">;
}

export function auditPages(pages: Router, { audit, frameOf, send }: AuditPages): void {
  pages.get("/audit", async (request, response) => {
    const { filters, before } = readQuery(request);
    const page = await audit.list({ ...filters, limit: SHOWN, ...(before === undefined ? {} : { before }) });
    send(response, 200, auditPage({ page, filters, frame: await frameOf(request) }));
  });
}

/** What the address says wrongly is left out. */
function readQuery({ query }: Request): { readonly filters: Filters; readonly before: string | undefined } {
  const said = (name: string) => {
    const value = query[name];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  };
  const { data } = auditQuery.safeParse({ cursor: said("before") });
  const filters: Filters = {};
  for (const name of Object.keys(FILTERS) as (keyof Filters)[]) {
    const value = said(name)?.slice(0, 300);
    if (value !== undefined) filters[name] = value;
  }
  return { filters, before: data?.cursor };
}

interface Shown {
  readonly page: AuditPage;
  readonly filters: Filters;
  readonly frame: Frame;
}

function auditPage({ page: { entries, next }, filters, frame }: Shown): Html {
  const live = html`<div class="head"><h1>Audit</h1><p class="soft">Who asked for what, newest first</p></div>
${filterForm(filters)}
${entries.length === 0 ? html`<div class="card empty"><h2>No entries</h2><p class="soft">Nothing fits what you asked for. <a href="/audit">Show all</a></p></div>` : tableOf(entries, frame)}
${next && html`<nav aria-label="More of the audit"><a class="button" href="${hrefOf({ ...filters, before: next })}" rel="next">Older</a></nav>`}`;
  return layout({ title: "Audit", frame, liveUrl: "", live, wide: true });
}

function filterForm(filters: Filters): Html {
  const fields = (Object.keys(FILTERS) as (keyof Filters)[]).map(
    (name) =>
      html`<label><span>${FILTERS[name]}</span><input type="search" name="${name}" value="${filters[name]}" placeholder="${SUCH_AS[name]}" autocomplete="off" spellcheck="false"></label>`,
  );
  return html`<search><form class="filter" action="/audit" method="get">${fields}<button>Show</button></form></search>`;
}

function tableOf(entries: readonly AuditEntry[], { now }: Frame): Html {
  return html`<div class="card wide" tabindex="0" role="region" aria-label="Audit"><table class="matrix">
<thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Preview</th><th scope="col">Outcome</th><th scope="col">From</th></tr></thead>
<tbody>${entries.map((entry) => rowOf(entry, now))}</tbody></table></div>`;
}

function rowOf({ at, actor, action, key, detail, via, address, outcome }: AuditEntry, now: Date): Html {
  return html`<tr><td class="when-at"><time datetime="${at}" title="${at}">${minuteOf(at)}</time> <span class="soft">${ago(at, now)}</span></td>
<td><a href="${hrefOf({ actor })}">${actor}</a></td>
<th scope="row"><a href="${hrefOf({ action })}">${action}</a>${detail && html` <span class="soft">${detail}</span>`}</th>
<td>${key !== undefined && html`<a href="${detailHref(key)}">${key}</a>`}</td>
<td>${outcome === "done" ? "done" : html`<b class="bad-text">${outcome}</b>`}</td>
<td>${via}${address && html` <span class="soft">${address}</span>`}</td></tr>`;
}

function hrefOf(query: Readonly<Record<string, string>>): string {
  return `/audit?${new URLSearchParams(query)}`;
}
