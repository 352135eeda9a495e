import { furtherLinks, type PreviewView } from "../api/preview-view.ts";
import type { Session } from "../session.ts";
import type { SweepReport } from "../sweep/report.ts";
import { alarmBanner } from "./alarm-section.ts";
import { verbForm } from "./forms.ts";
import { type Html, html, safeHref, sentenceOf } from "./html.ts";
import { chip, type Frame, layout } from "./layout.ts";
import { lifeInShort, warningOf } from "./life-section.ts";
import { detailHref, type Listing, listHref, type Shown } from "./listing.ts";
import { switchForm } from "./pause-section.ts";
import { reportInShort, sweepForm } from "./sweep-page.ts";
import { ago } from "./times.ts";

export interface ListPage {
  readonly listing: Listing;
  /** Of the previews in the listing. */
  readonly views: readonly PreviewView[];
  readonly lastSweep?: SweepReport;
  readonly frame: Frame;
}

const TITLES: Readonly<Record<Shown, string>> = {
  all: "Previews",
  stalled: "Stalled previews",
  gone: "Gone previews",
};

/** Every preview that is not gone, or those that are. Without a session: names, links and conditions only. */
export function listPage({ listing, views, lastSweep, frame }: ListPage): Html {
  const { session, now } = frame;
  const { shown, total, stalled } = listing;
  const title = TITLES[shown];
  const live = html`
<div class="head"><h1>${title}</h1>
<p class="soft">${countText(total)}${shown === "all" && stalled > 0 && html`, <a class="bad-text" href="${listHref("stalled")}"><b>${stalled} stalled</b></a>`}</p></div>
${views.length === 0 ? emptyCard(shown) : html`<ul class="cards">${views.map((view) => card(view, session, now))}</ul>`}
${pager(listing)}
<p class="hint">${shown === "all" ? html`<a href="${listHref("gone")}">Previews that are gone</a>` : html`<a href="/">All previews</a>`}</p>
${session ? shown === "all" && houseSection({ session, frame, lastSweep }) : loginHint()}`;
  return layout({ title, frame, liveUrl: "/live", live });
}

function pager({ shown, page, pages }: Listing): Html {
  if (pages === 1) return html``;
  const link = (to: number, text: string) =>
    to >= 1 && to <= pages && html`<a class="button" href="${listHref(shown, to)}">${text}</a>`;
  return html`<nav class="actions" aria-label="Pages">${link(page - 1, "Back")}<span class="soft">Page ${page} of ${pages}</span>${link(page + 1, "Next")}</nav>`;
}

function card(view: PreviewView, session: Session | undefined, now: Date): Html {
  return html`<li class="card" id="preview-${view.stack}">
<div class="row"><h2><a href="${detailHref(view.key)}">${view.key}</a></h2>${chip(view.condition, view.reason)}</div>
${session && view.title && html`<p class="title">${view.title}</p>`}
${linkOf(view)}
${session && (view.condition !== "Ready" || view.stage === "Gone") && html`<p class="message">${sentenceOf(view.message)}</p>`}
${session && excerptOf(view.excerpt.slice(-6))}
${session && alarmBanner(view)}
${session && warningOf(view, now)}
${session && metaOf(view, now)}
${session && menuOf(view, session)}
</li>`;
}

function linkOf(view: PreviewView): Html {
  const { url, stage } = view;
  if (!url) return stage === "Gone" ? html`` : html`<p class="soft">No link yet</p>`;
  return html`<p class="links"><a class="open" href="${safeHref(url)}">${bare(url)}</a>${furtherLinks(view).map(
    ([name, other]) => html`<a class="soft" href="${safeHref(other)}">${name}</a>`,
  )}</p>`;
}

function metaOf(view: PreviewView, now: Date): Html {
  const commit = view.commit ?? view.headSha;
  return html`<p class="meta soft">
${commit && html`<code>${commit.slice(0, 7)}</code>`}
<span>${view.gitBranch}</span>
${view.author && html`<span>${view.author}</span>`}
${lifeInShort(view, now)}
<span>${ago(view.since, now)}</span>
</p>`;
}

/** Folded, so that many previews stay a list; one that is gone has a single button. */
function menuOf(view: PreviewView, session: Session): Html {
  const form = verbForm({ view, session, from: "list" });
  if (view.stage === "Gone" || form.markup === "") return form;
  return html`<details class="menu" id="menu-${view.stack}"><summary aria-label="Actions on ${view.key}">Actions</summary>${form}</details>`;
}

function houseSection({
  session,
  frame: { pause, now },
  lastSweep,
}: {
  readonly session: Session;
  readonly frame: Frame;
  readonly lastSweep: SweepReport | undefined;
}): Html {
  return html`<section class="card house"><h2>Keep the house clean</h2>
<p class="soft">${reportInShort(lastSweep, now)}${lastSweep && html` <a href="/sweep">Its report</a>.`} A sweep removes what no preview owns any more; it also comes by itself. <a href="/services">Services of others</a> and what they are in previews.</p>
<div class="actions">${sweepForm(session)}${!pause && switchForm("stop-all", session)}</div></section>`;
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

function emptyCard(shown: Shown): Html {
  if (shown !== "all") return html`<div class="card empty"><h2>None is ${shown}</h2></div>`;
  return html`<div class="card empty"><h2>No previews yet</h2>
<p class="soft">Open a pull request in a configured repository, and it appears here with its link.</p></div>`;
}

function countText(count: number): string {
  return count === 1 ? "1 preview" : `${count} previews`;
}
