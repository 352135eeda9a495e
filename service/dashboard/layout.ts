import type { Session } from "../session.ts";
import type { Condition } from "../status.ts";
import { documentOf, type Html, html } from "./html.ts";

export interface PageOptions {
  readonly title: string;
  readonly session?: Session;
  /** Address of the events after which the page is fetched again. */
  readonly liveUrl: string;
  /** Replaced as a whole when something changed. */
  readonly live: Html;
  /** Stays as it is, such as a log that is being followed. */
  readonly rest?: Html;
}

/** The frame of every page. Scripts only make it livelier: everything works without. */
export function layout({ title, session, liveUrl, live, rest }: PageOptions): Html {
  const head = html`<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/style.css">
<script type="module" src="/assets/page.js"></script>`;
  const body = html`<body data-live-url="${liveUrl}">
<header class="top">
<a class="brand" href="/"><span class="logo" aria-hidden="true"></span>Stackling</a>
${session ? leaveForm(session) : html`<span class="soft">Read only</span>`}
</header>
<main>
<div id="live">${live}</div>
${rest}
</main>
</body>`;
  return documentOf({ title: `${title} · Stackling`, head, body });
}

function leaveForm(session: Session): Html {
  return html`<form method="post" action="/logout"><input type="hidden" name="csrf" value="${session.csrf}"><button class="quiet">Sign out</button></form>`;
}

/** Condition and reason as a coloured chip; the words carry the meaning, not the colour. */
export function chip(condition: Condition, reason: string): Html {
  const tone = reason === "Asleep" || reason === "Paused" || reason === "Gone" ? "still" : TONES[condition];
  return html`<span class="chip ${tone}"><span class="dot" aria-hidden="true"></span>${condition === "Ready" && reason === "Healthy" ? "Ready" : `${condition} · ${inWords(reason)}`}</span>`;
}

const TONES: Readonly<Record<Condition, string>> = { Ready: "good", Reconciling: "busy", Stalled: "bad" };

/** `HealthCheckFailed` as `health check failed`. */
function inWords(reason: string): string {
  return reason.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

/** Time as a person says it; the exact one is in the tooltip and in `datetime`. */
export function ago(at: string | undefined, now: Date): Html {
  if (at === undefined) return html`<span class="soft">never</span>`;
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(at)) / 1000));
  return html`<time datetime="${at}" title="${at}">${spanText(seconds)}</time>`;
}

function spanText(seconds: number): string {
  if (seconds < 45) return "just now";
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}
