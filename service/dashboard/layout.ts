import type { Session } from "../session.ts";
import type { Condition } from "../status.ts";
import type { Pause } from "../store/operation.ts";
import { documentOf, type Html, html } from "./html.ts";
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
}

/** The frame of every page. Scripts only make it livelier: everything works without. */
export function layout({ title, frame, liveUrl, live, rest }: PageOptions): Html {
  const { session, pause } = frame;
  const head = html`<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/style.css">
<link rel="stylesheet" href="/assets/actions.css">
<script type="module" src="/assets/page.js"></script>`;
  const body = html`<body data-live-url="${liveUrl}">
<header class="top">
<a class="brand" href="/"><span class="logo" aria-hidden="true"></span>Stackling</a>
${session ? leaveForm(session) : html`<span class="soft">Read only</span>`}
</header>
<main>
${outcomeOf(frame.outcome)}
<div id="live">${pause && pauseBanner({ ...frame, pause })}${live}</div>
${rest}
</main>
</body>`;
  return documentOf({ title: `${title} · Stackling`, head, body });
}

/** Always there, so that what is put in later is read out. */
function outcomeOf(outcome: Outcome | undefined): Html {
  return html`<div id="outcome" class="${outcome?.failed ? "failed" : ""}" role="status" tabindex="-1">${outcome?.text}</div>`;
}

function leaveForm(session: Session): Html {
  return html`<form method="post" action="/logout" data-leaves><input type="hidden" name="csrf" value="${session.csrf}"><button class="quiet">Sign out</button></form>`;
}

/** Condition and reason as a coloured chip; the words carry the meaning, not the colour. */
export function chip(condition: Condition, reason: string): Html {
  const tone = reason === "Asleep" || reason === "Paused" || reason === "Gone" ? "still" : TONES[condition];
  return html`<span class="chip ${tone}"><span class="dot" aria-hidden="true"></span>${chipText(condition, reason)}</span>`;
}

const TONES: Readonly<Record<Condition, string>> = { Ready: "good", Reconciling: "busy", Stalled: "bad" };

function chipText(condition: Condition, reason: string): string {
  if (reason === "Gone") return "Gone";
  return condition === "Ready" && reason === "Healthy" ? "Ready" : `${condition} · ${inWords(reason)}`;
}

/** `HealthCheckFailed` as `health check failed`. */
function inWords(reason: string): string {
  return reason.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
