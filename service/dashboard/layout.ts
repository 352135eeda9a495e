import { documentOf, type Html, html } from "../html.ts";
import { AT_REST } from "../reasons.ts";
import type { Session } from "../session.ts";
import type { Condition } from "../status.ts";
import type { Pause } from "../store/operation.ts";
import { type Appearance, appearanceSwitch } from "./appearance.ts";
import { assetUrl } from "./assets.ts";
import { navigation } from "./navigation.ts";
import { pauseBanner } from "./pause-section.ts";

/** What every page shows around its own content. */
export interface Frame {
  readonly session?: Session;
  /** Set while everything is stopped. */
  readonly pause?: Pause;
  /** The operator's address to go to in the meantime. */
  readonly fallbackUrl?: string;
  /** What came of what was just asked for. */
  readonly outcome?: Outcome;
  readonly now: Date;
  /** Path of the page, and what was asked of it. */
  readonly path?: string;
  readonly search?: string;
  readonly appearance?: Appearance;
  /** Up to where the store's changes are in this page; its stream of events begins there. */
  readonly seen?: string;
}

export interface Outcome {
  readonly text: string;
  readonly failed?: boolean;
}

export interface PageOptions {
  readonly title: string;
  readonly frame: Frame;
  /** Address of the events after which the page is fetched again; empty: it stays as it is. */
  readonly liveUrl: string;
  /** Brought up to date when something changed. */
  readonly live: Html;
  /** Stays as it is, such as a log that is being followed. */
  readonly rest?: Html;
  /** As wide as the window, for tables. */
  readonly wide?: boolean;
}

/** Without `eval`, styles of its own and pages kept in the browser's storage. */
const HTMX_CONFIG = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  scrollIntoViewOnBoost: false,
});

/** The frame of every page. Scripts only make it livelier: everything works without. */
export function layout({ title, frame, liveUrl, live, rest, wide }: PageOptions): Html {
  const { pause, appearance = "auto" } = frame;
  const head = html`<meta name="htmx-config" content="${HTMX_CONFIG}">
<link rel="icon" href="${assetUrl("icon.svg")}" type="image/svg+xml">
${STYLES.map((name) => html`<link rel="stylesheet" href="${assetUrl(name)}">`)}
${VENDOR.map((name) => html`<script defer src="${assetUrl(`vendor/${name}`)}"></script>`)}
<script type="module" src="${assetUrl("page.js")}"></script>`;
  const body = html`<body hx-ext="morph">
<a class="skip" href="#main">Skip to the content</a>
${headerOf(frame)}
<main id="main" tabindex="-1"${wide && html` class="wide-page"`}>
${outcomeOf(frame.outcome)}
<div id="live">${pause && pauseBanner({ ...frame, pause })}${live}</div>
${rest}
</main>
${liveUrl && streamOf(liveUrl, frame)}
</body>`;
  return documentOf({ title: `${title} · Stackling`, head, body, appearance });
}

const LIVE = `<div id="live">`;

/** Markup that a page of the same title and frame begins with, up to what is live: it can go ahead of the rest. */
export function opening(options: Omit<PageOptions, "live" | "rest" | "liveUrl">): string {
  const { markup } = layout({ ...options, liveUrl: "", live: html`` });
  return markup.slice(0, markup.lastIndexOf(LIVE));
}

const STYLES = [
  "base.css",
  "frame.css",
  "style.css",
  "list.css",
  "trends.css",
  "costs.css",
  "kpis.css",
  "detail.css",
  "actions.css",
];
const VENDOR = ["htmx.js", "htmx-sse.js", "htmx-morph.js"];

function headerOf(frame: Frame): Html {
  const { session, path = "/", search = "", appearance = "auto" } = frame;
  return html`<header class="top">
<a class="brand" href="/"><span class="logo" aria-hidden="true"></span>Stackling</a>
${navigation(frame)}
<div class="who"><p id="connection" role="status"></p>${appearanceSwitch(appearance, path + search)}${
    session ? leaveForm(session) : html`<span class="soft">Read only</span>`
  }</div>
</header>`;
}

/** An event says only which previews changed; what, the page asks for with its own rights. */
function streamOf(liveUrl: string, { seen }: Frame): Html {
  const url = seen === undefined ? liveUrl : `${liveUrl}${liveUrl.includes("?") ? "&" : "?"}seen=${seen}`;
  return html`<div id="stream" hx-ext="sse" sse-connect="${url}" sse-swap="message" hx-swap="none" hidden></div>`;
}

/** Always there, so that what is put in later is read out. */
function outcomeOf(outcome: Outcome | undefined): Html {
  return html`<div id="outcome" role="status" tabindex="-1">${
    outcome && html`<p class="${outcome.failed ? "failed" : "done"}">${outcome.text}</p>`
  }</div>`;
}

function leaveForm({ csrf, name, role }: Session): Html {
  const who = name === "page" ? "" : html`<span class="soft" title="${role}">${name}</span>`;
  return html`${who}<form method="post" action="/logout"><input type="hidden" name="csrf" value="${csrf}"><button class="quiet">Sign out</button></form>`;
}

/** Condition and reason as a coloured chip; the words carry the meaning, not the colour. */
export function chip(condition: Condition, reason: string): Html {
  const tone = STILL.has(reason) ? "still" : TONES[condition];
  return html`<span class="chip ${tone}"><span class="dot" aria-hidden="true"></span>${chipText(condition, reason)}</span>`;
}

/** Nothing runs, and nothing is wrong. */
const STILL: ReadonlySet<string> = new Set([...AT_REST, "Gone", "NothingPromoted"]);
const TONES: Readonly<Record<Condition, string>> = { Ready: "good", Reconciling: "busy", Stalled: "bad" };

function chipText(condition: Condition, reason: string): string {
  if (reason === "Gone") return "Gone";
  return condition === "Ready" && reason === "Healthy" ? "Ready" : `${condition} · ${inWords(reason)}`;
}

/** `HealthCheckFailed` as `health check failed`. */
function inWords(reason: string): string {
  return reason.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
