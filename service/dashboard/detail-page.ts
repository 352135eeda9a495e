import type { ActionRequest } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { commentText } from "../comment.ts";
import type { Session } from "../session.ts";
import type { HistoryEntry } from "../store/store.ts";
import { type Html, html, safeHref } from "./html.ts";
import { ago, chip, layout } from "./layout.ts";
import { bare, detailHref, excerptOf, loginHint } from "./list-page.ts";

export interface DetailPage {
  readonly view: PreviewView;
  readonly history: readonly HistoryEntry[];
  readonly session?: Session;
  readonly now: Date;
}

/** All of one preview. Without a session: name, links and condition only. */
export function detailPage({ view, history, session, now }: DetailPage): Html {
  const gone = view.stage === "Gone";
  const live = html`
<p class="crumb"><a href="/">Previews</a></p>
<div class="row"><h1>${view.key}</h1>${chip(view.condition, view.reason)}</div>
${session && view.title && html`<p class="title">${view.title}</p>`}
${session && html`<p class="message" role="status">${view.message}</p>`}
${session && excerptOf(view.excerpt)}
${linksOf(view)}
${session ? html`${!gone && actionsOf(view, session)}${factsOf(view, now)}${historyOf(history)}${commentOf(view)}` : loginHint()}`;
  return layout({
    title: view.key,
    session,
    liveUrl: `/live?key=${encodeURIComponent(view.key)}`,
    live,
    rest: session && !gone ? logsOf(view) : undefined,
  });
}

function linksOf({ url, urls, pullRequestUrl }: PreviewView): Html {
  const others = Object.entries(urls).filter(([, other]) => other !== url);
  return html`<p class="actions">
${url ? html`<a class="button primary" href="${safeHref(url)}">Open ${bare(url)}</a>` : html`<span class="soft">No link yet</span>`}
${others.map(([service, other]) => html`<a class="button" href="${safeHref(other)}">${service}</a>`)}
${pullRequestUrl && html`<a class="button" href="${safeHref(pullRequestUrl)}">Pull request</a>`}
</p>`;
}

interface Button {
  readonly action: ActionRequest["action"];
  readonly text: string;
  /** Asked before it is done. */
  readonly confirm?: string;
}

const SLEEP_OR_WAKE: Readonly<Record<"sleep" | "wake", Button>> = {
  sleep: { action: "sleep", text: "Put to sleep" },
  wake: { action: "wake", text: "Wake" },
};

function actionsOf(view: PreviewView, session: Session): Html {
  const buttons: readonly Button[] = [
    { action: "redeploy", text: "Redeploy" },
    ...(view.commit ? [SLEEP_OR_WAKE[view.awake ? "sleep" : "wake"]] : []),
    { action: "reset-db", text: "Reset database", confirm: "The preview's database is made anew. Its data is lost." },
    { action: "down", text: "Take down", confirm: "The preview and its database are removed." },
  ];
  return html`<section aria-label="Actions" class="actions">${buttons.map(
    ({ action, text, confirm }) => html`<form method="post" action="${detailHref(view.key)}/actions"${
      confirm ? html` data-confirm="${confirm}"` : html``
    }>
<input type="hidden" name="csrf" value="${session.csrf}"><input type="hidden" name="action" value="${action}">
<button class="${confirm ? "danger" : ""}">${text}</button></form>`,
  )}</section>`;
}

function factsOf(view: PreviewView, now: Date): Html {
  const behind = view.headSha && view.commit && view.headSha !== view.commit;
  const facts: readonly (readonly [string, Html])[] = [
    [
      "Serves",
      view.commit ? html`<code>${view.commit.slice(0, 12)}</code>` : html`<span class="soft">nothing yet</span>`,
    ],
    ...(behind ? [["Newest commit", html`<code>${view.headSha?.slice(0, 12)}</code>`] as const] : []),
    ["Git branch", html`<code>${view.gitBranch}</code>`],
    ["Author", view.author ? html`${view.author}` : html`<span class="soft">by hand</span>`],
    ["Stage", html`${view.stage}`],
    ["Database", view.database ? html`<code>${view.database}</code>` : html`<span class="soft">none</span>`],
    ["Stack", html`<code>${view.stack}</code>`],
    ["Created", ago(view.createdAt, now)],
    ["Last push", ago(view.lastPushAt, now)],
    ["Last visit", ago(view.lastVisitAt, now)],
  ];
  return html`<section class="card"><h2>About</h2><dl class="facts">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></section>`;
}

function historyOf(history: readonly HistoryEntry[]): Html {
  if (history.length === 0) return html``;
  return html`<section class="card"><h2>History</h2><ol class="history">${history.map(
    ({ at, reason, message, headSha }) =>
      html`<li><time datetime="${at}" title="${at}">${at.slice(5, 16).replace("T", " ")}</time>
<div><b>${reason}</b>${headSha && html` <code>${headSha.slice(0, 7)}</code>`}<p class="message">${message}</p></div></li>`,
  )}</ol></section>`;
}

function commentOf({ comment }: PreviewView): Html {
  if (!comment) return html``;
  return html`<details class="card"><summary><h2>Comment on the pull request</h2></summary><div class="output comment">${commentText(comment)}</div></details>`;
}

function logsOf(view: PreviewView): Html {
  const source = `/api/v1/previews/${encodeURIComponent(view.key)}/logs`;
  return html`<section class="card"><h2>Logs</h2>
<pre class="output" id="log" tabindex="0" role="log" aria-label="Logs" data-src="${`${source}?tail=200&follow=1`}"></pre>
<noscript><p><a href="${source}?tail=200">Show the last lines</a></p></noscript></section>`;
}
