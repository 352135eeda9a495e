import { furtherLinks, type PreviewView } from "../api/preview-view.ts";
import { commentText } from "../comment/comment.ts";
import { egressLine } from "../egress/words.ts";
import { qrPicture } from "../gateway/banner/qr.ts";
import { rollbackWords } from "../rollback.ts";
import type { HistoryEntry } from "../store/store.ts";
import { alarmBanner } from "./alarm-section.ts";
import { approvalSection } from "./approval.ts";
import { driftSection } from "./drift-section.ts";
import { refusedSection } from "./egress-section.ts";
import { flagSection } from "./flag-section.ts";
import { verbForm } from "./forms.ts";
import { type Html, html, safeHref, sentenceOf } from "./html.ts";
import { chip, type Frame, layout } from "./layout.ts";
import { lifeSection, warningOf } from "./life-section.ts";
import { bare, excerptOf, loginHint } from "./list-page.ts";
import { rollbackForm } from "./rollback-section.ts";
import { schemaSection } from "./schema-section.ts";
import { seedForm } from "./seed-section.ts";
import { shareForm } from "./share-section.ts";

export interface DetailPage {
  readonly view: PreviewView;
  readonly history: readonly HistoryEntry[];
  readonly frame: Frame;
}

/** All of one preview. Without a session: name, links and condition only. */
export function detailPage({ view, history, frame }: DetailPage): Html {
  const { session, now, fallbackUrl } = frame;
  const gone = view.stage === "Gone";
  const live = html`
<p class="crumb"><a href="/">Previews</a></p>
<div class="row"><h1>${view.key}</h1>${chip(view.condition, view.reason)}</div>
${session && view.title && html`<p class="title">${view.title}</p>`}
${session && html`<p class="message" role="status">${sentenceOf(view.message)}</p>`}
${session && excerptOf(view.excerpt)}
${gone && fallbackUrl && html`<p>Meanwhile: <a href="${safeHref(fallbackUrl)}">${fallbackUrl}</a></p>`}
${linksOf(view)}
${
  session
    ? html`${approvalSection(view, session)}${verbForm({ view, session, from: "detail" })}${alarmBanner(view)}${warningOf(view, now)}${driftSection(view, now)}${lifeSection(view, now)}${rollbackForm(view, session)}${seedForm(view, session)}${shareForm(view, session)}${flagSection(view, session)}${factsOf(view)}${schemaSection(view)}${refusedSection(view)}${historyOf(history)}${commentOf(view)}`
    : loginHint()
}`;
  return layout({
    title: view.key,
    frame,
    liveUrl: `/live?key=${encodeURIComponent(view.key)}`,
    live,
    rest: session && !gone ? logsOf(view) : undefined,
  });
}

function linksOf(view: PreviewView): Html {
  const { url, pullRequestUrl, stage } = view;
  if (stage === "Gone" && !pullRequestUrl) return html``;
  return html`<p class="actions">
${url ? html`<a class="button primary" href="${safeHref(url)}">Open ${bare(url)}</a>` : stage !== "Gone" && html`<span class="soft">No link yet</span>`}
${furtherLinks(view).map(([name, other]) => html`<a class="button" href="${safeHref(other)}">${name}</a>`)}
${pullRequestUrl && html`<a class="button" href="${safeHref(pullRequestUrl)}">Pull request</a>`}
</p>`;
}

function factsOf(view: PreviewView): Html {
  const behind = view.headSha && view.commit && view.headSha !== view.commit;
  const qr = view.url ? qrPicture(view.url) : html``;
  const facts: readonly (readonly [string, Html])[] = [
    ["Serves", view.commit ? html`<code>${view.commit.slice(0, 12)}</code>` : html`<span class="soft">nothing</span>`],
    ...(view.rolledBack ? [["Rolled back", html`${rollbackWords(view.rolledBack).replaceAll("`", "")}`] as const] : []),
    ...(behind ? [["Newest commit", html`<code>${view.headSha?.slice(0, 12)}</code>`] as const] : []),
    ["Git branch", html`<code>${view.gitBranch}</code>`],
    ["Author", view.author ? html`${view.author}` : html`<span class="soft">by hand</span>`],
    ...(qr.markup === "" ? [] : [["On a phone", qr] as const]),
    ["Database", view.database ? html`<code>${view.database}</code>` : html`<span class="soft">none</span>`],
    ...(view.scenario === undefined ? [] : [["Seeded with", html`<code>${view.scenario}</code>`] as const]),
    ...(view.untrusted ? [["Not trusted", trustOf(view.untrusted)] as const] : []),
    ...(view.login && view.url ? [["Log in as", loginsOf(view.login, view.url)] as const] : []),
    ...(view.egress ? [["Calls", html`${egressLine(view)}`] as const] : []),
    ["Stack", html`<code>${view.stack}</code>`],
  ];
  return html`<section class="card"><h2>About</h2><dl class="facts">${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></section>`;
}

function trustOf({ approved, isolated }: NonNullable<PreviewView["untrusted"]>): Html {
  const by = approved ? html`approved by ${approved.by}` : html`approved`;
  return html`${by}; without the operator's secrets${!isolated && "; not kept apart from the service's own files"}`;
}

function loginsOf({ users }: NonNullable<PreviewView["login"]>, url: string): Html {
  return html`${users.map(({ name, title }, index) => {
    const to = `${url}/.stackling/login?${new URLSearchParams({ as: name }).toString()}`;
    return html`${index > 0 && ", "}<a href="${safeHref(to)}">${title}</a>`;
  })}`;
}

function historyOf(history: readonly HistoryEntry[]): Html {
  if (history.length === 0) return html``;
  return html`<section class="card"><h2>History</h2><ol class="history">${history.map(
    ({ at, reason, message, headSha }) =>
      html`<li><time datetime="${at}" title="${at}">${at.slice(5, 16).replace("T", " ")}</time>
<div><b>${reason}</b>${headSha && html` <code>${headSha.slice(0, 7)}</code>`}<p class="message">${sentenceOf(message)}</p></div></li>`,
  )}</ol></section>`;
}

function commentOf({ comment }: PreviewView): Html {
  if (!comment) return html``;
  return html`<details class="card" id="comment"><summary><h2>Comment on the pull request</h2></summary><div class="output comment">${commentText(comment)}</div></details>`;
}

function logsOf(view: PreviewView): Html {
  const source = `/api/v1/previews/${encodeURIComponent(view.key)}/logs`;
  return html`<section class="card"><h2>Logs</h2>
<pre class="output" id="log" tabindex="0" role="log" aria-label="Logs" data-src="${`${source}?tail=200&follow=1`}"></pre>
<noscript><p><a href="${source}?tail=200">Show the last lines</a></p></noscript></section>`;
}
