/** The list of previews: what is asked for of them, with what waits and what is counted. */
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html, safeHref, sentenceOf } from "../html.ts";
import { EVERYTHING, may } from "../roles.ts";
import type { SweepReport } from "../sweep/report.ts";
import { chip, type Frame, layout, opening } from "./layout.ts";
import { filterForm } from "./list-filter.ts";
import { type RowFrame, rowOf } from "./list-row.ts";
import { type Column, type Listing, listHref, STRANGERS_COLUMNS, showsAll } from "./listing.ts";
import type { MonthCosts } from "./month-costs.ts";
import { switchForm } from "./pause-section.ts";
import { reportInShort, sweepForm } from "./sweep-page.ts";
import { age, ago } from "./times.ts";

export interface ListPage {
  readonly listing: Listing;
  /** Of the previews in the listing. */
  readonly views: readonly PreviewView[];
  /** Of its long-lived stages. */
  readonly stages: readonly PreviewView[];
  /** What is counted over time, in short. */
  readonly trends?: Html;
  readonly costs?: MonthCosts;
  readonly lastSweep?: SweepReport;
  readonly frame: Frame;
}

const HEADS: Readonly<Record<Column, string>> = {
  status: "Status",
  repository: "Repository",
  pull: "Pull request",
  author: "Author",
  age: "Age",
  visit: "Last visit",
  expires: "Expires",
  cost: "This month",
  commit: "Commit",
  link: "Link",
};

/** Markup that the page of such a list begins with. */
export function listOpening({ wish }: Pick<Listing, "wish">, frame: Frame): string {
  return opening({ title: titleOf(wish), frame, wide: true });
}

function titleOf({ stage }: Listing["wish"]): string {
  return stage === "Gone" ? "Gone previews" : "Previews";
}

/** Every preview that is not gone, or those that are. Without a session: names, links and conditions only. */
export function listPage({ listing, views, stages, trends, costs, lastSweep, frame }: ListPage): Html {
  const { session } = frame;
  const title = titleOf(listing.wish);
  const live = html`<div class="head"><h1>${title}</h1><p class="soft">${countText(listing)}</p></div>
${session && filterForm(listing)}
${countsOf(listing, trends)}
${stages.length > 0 && stagesOf(stages, frame)}
${session && queueOf(listing, frame)}
${views.length === 0 ? emptyCard(listing, frame) : tableOf(listing, views, { ...frame, ...(costs ? { costs } : {}) })}
${pager(listing)}
${session ? houseSection(frame, lastSweep) : loginHint()}`;
  return layout({
    title,
    frame,
    liveUrl: "/live",
    live,
    wide: true,
    rest: html`<dialog id="menu" aria-label="Actions"></dialog>`,
  });
}

/** Rows that changed, to be laid over those of a list that is open; one that is not wanted there any more goes. */
export function rowsPage(
  rows: readonly { readonly view: PreviewView; readonly wanted: boolean }[],
  frame: RowFrame,
): Html {
  return html`${rows.map(({ view, wanted }) =>
    wanted
      ? html`<template>${rowOf(view, frame, html` hx-swap-oob="morph"`)}</template>`
      : html`<template><tr id="preview-${view.stack}" hx-swap-oob="delete"></tr></template>`,
  )}`;
}

function tableOf({ wish }: Listing, views: readonly PreviewView[], frame: RowFrame): Html {
  const columns = (Object.keys(HEADS) as Column[]).filter((one) => frame.session || STRANGERS_COLUMNS.includes(one));
  const head = (column: Column) => {
    const isSorted = wish.sort === column;
    const next = { sort: column, descending: isSorted && !wish.descending, page: 1 };
    const order = wish.descending ? "descending" : "ascending";
    return html`<th scope="col"${isSorted && html` aria-sort="${order}"`}><a href="${listHref(wish, next)}">${HEADS[column]}</a></th>`;
  };
  const rows = listHref(wish)
    .replace("/", "/rows")
    .replace(/^\/rows$/, "/rows?");
  return html`<div class="list" hx-target="#live" hx-select="#live" hx-swap="morph"><table class="${frame.session ? "" : "few"}" data-rows="${rows}">
<caption class="unseen">Previews</caption>
<thead hx-boost="true"><tr>${columns.map(head)}</tr></thead>
<tbody hx-target="#menu" hx-select="unset" hx-swap="innerHTML">${views.map((view) => rowOf(view, frame))}</tbody></table></div>`;
}

function countsOf({ counts, queue, wish }: Listing, trends: Html | undefined): Html {
  const tile = (count: number, text: string, changes: Parameters<typeof listHref>[0], tone = "") => {
    const to = listHref({ sort: wish.sort, descending: wish.descending }, changes);
    return html`<li><a href="${to}" class="tile ${count > 0 ? tone : ""}"${to === listHref(wish) && html` aria-current="true"`}><b>${count}</b> ${text}</a></li>`;
  };
  return html`<ul class="tiles" aria-label="In short">
${tile(counts.active, "active", { stage: "Active" })}
${tile(counts.asleep, "asleep", { stage: "Asleep" })}
${tile(counts.stalled, "stalled", { status: "Stalled" }, "bad-text")}
${queue.length > 0 && html`<li><a href="#queue" class="tile"><b>${queue.length}</b> in the queue</a></li>`}
${trends}
<li><a href="${listHref({ stage: "Gone" })}" class="tile soft"${wish.stage === "Gone" && html` aria-current="true"`}>Gone ones</a></li></ul>`;
}

function stagesOf(stages: readonly PreviewView[], { session, now }: Frame): Html {
  return html`<section class="card stage-list" aria-labelledby="stages-head"><h2 id="stages-head">Stages</h2><ul>${stages.map(
    (view) => html`<li><a href="${detailHref(view.key)}"><b>${view.key}</b></a>${chip(view.condition, view.reason)}
<code>${view.commit?.slice(0, 7)}</code>${view.url ? html`<a href="${safeHref(view.url)}">${bare(view.url)}</a>` : html`<span class="soft">No link yet</span>`}
<span class="soft">${session && view.condition !== "Ready" && html`${sentenceOf(view.message)} `}${ago(view.since, now)}${
      session &&
      view.promotion &&
      html` <a href="${detailHref(view.key)}#promotion">${view.promotion.sha.slice(0, 7)} waits to be promoted</a>`
    }</span></li>`,
  )}</ul></section>`;
}

function queueOf({ queue }: Listing, { now }: Frame): Html {
  if (queue.length === 0) return html``;
  return html`<details class="card queue" id="queue" open><summary><h2>Queue</h2> <span class="soft">${queue.length === 1 ? "1 waits" : `${queue.length} wait`} for a turn</span></summary>
<ol>${queue
    .slice(0, QUEUE_SHOWN)
    .map(
      ({ key, status }) =>
        html`<li><a href="${detailHref(key)}">${key}</a> <span>${sentenceOf(status.message)}</span> <span class="soft">for ${age(status.since, now)}</span></li>`,
    )}</ol>${queue.length > QUEUE_SHOWN && html`<p class="soft">and ${queue.length - QUEUE_SHOWN} more</p>`}</details>`;
}

const QUEUE_SHOWN = 20;

function pager({ wish, page, pages }: Listing): Html {
  if (pages === 1) return html``;
  const link = (to: number, text: string) =>
    to >= 1 && to <= pages && html`<a class="button" href="${listHref(wish, { page: to })}">${text}</a>`;
  return html`<nav class="actions" aria-label="Further previews">${link(page - 1, "Back")}<span class="soft">Page ${page} of ${pages}</span>${link(page + 1, "Next")}</nav>`;
}

function houseSection({ session, pause, now }: Frame, lastSweep: SweepReport | undefined): Html {
  if (!session || !may(session, "operate", EVERYTHING)) return html``;
  return html`<section class="card house"><h2>Keep the house clean</h2>
<p class="soft">${reportInShort(lastSweep, now)}${lastSweep && html` <a href="/sweep">Its report</a>.`} A sweep removes what no preview owns any more; it also comes by itself.</p>
<div class="actions">${sweepForm(session)}${!pause && may(session, "administer", EVERYTHING) && switchForm("stop-all", session)}</div></section>`;
}

export function excerptOf(lines: readonly string[]): Html {
  if (lines.length === 0) return html``;
  return html`<pre class="output" tabindex="0" role="region" aria-label="Last lines of output">${lines.join("\n")}</pre>`;
}

export function bare(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

export function loginHint(): Html {
  return html`<p class="hint soft">Logs and actions need a login link. It is printed when the service starts; <code>stackling open</code> makes another.</p>`;
}

function emptyCard({ wish, counts }: Listing, { session }: Frame): Html {
  if (!showsAll(wish) && (counts.here > 0 || wish.stage === "Gone")) {
    const text = wish.stage === "Gone" ? "No gone previews" : "No preview matches";
    return html`<div class="card empty"><h2>${text}</h2><p><a href="/">All previews</a></p></div>`;
  }
  return html`<div class="card empty"><h2>No previews yet</h2>
<p class="soft">Open a pull request in a configured repository, and it appears here with its link.</p>
${session && html`<p class="soft">Or bring up any git repository by hand: <code>stackling up PATH</code></p>`}</div>`;
}

function countText({ total, counts, wish }: Listing): string {
  const count = total === 1 ? "1 preview" : `${total} previews`;
  return showsAll(wish) || wish.stage === "Gone" ? count : `${count} of ${counts.here}`;
}
