import type { PreviewView } from "../api/preview-view.ts";
import type { Session } from "../session.ts";
import type { Pause } from "../store/operation.ts";
import { type Html, html, safeHref } from "./html.ts";
import { ago, chip, layout } from "./layout.ts";

export interface ListPage {
  readonly previews: readonly PreviewView[];
  readonly session?: Session;
  /** Set while everything is stopped. */
  readonly pause?: Pause;
  readonly now: Date;
}

/** Every preview that is not gone. Without a session: names, links and conditions only. */
export function listPage({ previews, pause, session, now }: ListPage): Html {
  const stalled = previews.filter(({ condition }) => condition === "Stalled").length;
  const live = html`
<div class="head"><h1>Previews</h1>
<p class="soft">${countText(previews.length)}${stalled > 0 && html`, <b class="bad-text">${stalled} stalled</b>`}</p></div>
${pause && pausedCard(pause, now)}
${previews.length === 0 ? emptyCard() : html`<ul class="cards">${previews.map((view) => card(view, session, now))}</ul>`}
${!session && previews.length > 0 && loginHint()}`;
  return layout({ title: "Previews", session, liveUrl: "/live", live });
}

function pausedCard({ at }: Pause, now: Date): Html {
  return html`<div class="card" role="status"><h2>Everything is stopped</h2>
<p class="soft">Since ${ago(at, now)}. Nothing new is brought up and every preview sleeps, until <code>stackling resume-all</code>.</p></div>`;
}

function card(view: PreviewView, session: Session | undefined, now: Date): Html {
  return html`<li class="card">
<div class="row"><h2><a href="${detailHref(view.key)}">${view.key}</a></h2>${chip(view.condition, view.reason)}</div>
${session && view.title && html`<p class="title">${view.title}</p>`}
${linkOf(view)}
${session && view.condition !== "Ready" && html`<p class="message">${view.message}</p>`}
${session && excerptOf(view.excerpt.slice(-6))}
${session && metaOf(view, now)}
</li>`;
}

function linkOf({ url, urls }: PreviewView): Html {
  if (!url) return html`<p class="soft">No link yet</p>`;
  const others = Object.entries(urls).filter(([, other]) => other !== url);
  return html`<p class="links"><a class="open" href="${safeHref(url)}">${bare(url)}</a>${others.map(
    ([service, other]) => html`<a class="soft" href="${safeHref(other)}">${service}</a>`,
  )}</p>`;
}

function metaOf(view: PreviewView, now: Date): Html {
  const commit = view.commit ?? view.headSha;
  return html`<p class="meta soft">
${commit && html`<code>${commit.slice(0, 7)}</code>`}
<span>${view.gitBranch}</span>
${view.author && html`<span>${view.author}</span>`}
<span>${ago(view.since, now)}</span>
</p>`;
}

export function excerptOf(lines: readonly string[]): Html {
  if (lines.length === 0) return html``;
  return html`<pre class="output" tabindex="0" aria-label="Last lines of output">${lines.join("\n")}</pre>`;
}

export function detailHref(key: string): string {
  return `/previews/${encodeURIComponent(key)}`;
}

export function bare(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

export function loginHint(): Html {
  return html`<p class="hint soft">Logs and actions need a login link. It is printed when the service starts.</p>`;
}

function emptyCard(): Html {
  return html`<div class="card empty"><h2>No previews yet</h2>
<p class="soft">Open a pull request in a configured repository, and it appears here with its link.</p></div>`;
}

function countText(count: number): string {
  return count === 1 ? "1 preview" : `${count} previews`;
}
