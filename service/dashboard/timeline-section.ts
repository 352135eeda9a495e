import { detailHref } from "../addresses.ts";
import { type Html, html, sentenceOf } from "../html.ts";
import { commitLink } from "./commit-link.ts";
import { EVENT_KINDS, type EventKind, type TimelineEvent } from "./timeline.ts";
import { ago, clockOf, dayOf } from "./times.ts";

/** More is in the API's history and the audit. */
const SHOWN = 60;

const KIND_NAMES: Readonly<Record<EventKind, string>> = {
  condition: "Decisions",
  person: "People",
  deployment: "Deployments",
  receipt: "Receipts",
};

export interface TimelineSection {
  readonly key: string;
  readonly events: readonly TimelineEvent[];
  /** One kind only. */
  readonly kind?: EventKind;
  readonly commitUrl?: string;
  readonly now: Date;
}

/** Of what an address says; undefined for all. */
export function readKind(said: unknown): EventKind | undefined {
  return EVENT_KINDS.find((kind) => kind === said);
}

/** By days, newest first. */
export function timelineSection({ key, events, kind, commitUrl, now }: TimelineSection): Html {
  const wanted = kind === undefined ? events : events.filter((event) => event.kind === kind);
  const shown = wanted.slice(0, SHOWN);
  const days = Map.groupBy(shown, ({ at }) => at.slice(0, 10));
  return html`<section class="card" id="timeline"><div class="row"><h2>What happened, and why</h2>${filterOf(key, events, kind)}</div>
${shown.length === 0 && html`<p class="soft">Nothing yet.</p>`}
${[...days.values()].map(
  (ofDay) =>
    html`<h3 class="day">${dayOf(ofDay[0]?.at ?? "", now)}</h3><ol class="timeline">${ofDay.map((event) =>
      eventItem(event, { key, commitUrl, now }),
    )}</ol>`,
)}
${wanted.length > SHOWN && html`<p class="soft">and ${wanted.length - SHOWN} before that</p>`}</section>`;
}

function filterOf(key: string, events: readonly TimelineEvent[], chosen: EventKind | undefined): Html {
  const there = EVENT_KINDS.filter((kind) => events.some((event) => event.kind === kind));
  if (there.length < 2) return html``;
  const link = (kind: EventKind | undefined, text: string) =>
    html`<a href="${detailHref(key)}${kind ? `?events=${kind}` : ""}#timeline"${kind === chosen && html` aria-current="true"`}>${text}</a>`;
  return html`<nav class="filters" aria-label="Kinds of events">${link(undefined, "All")}${there.map((kind) => link(kind, KIND_NAMES[kind]))}</nav>`;
}

function eventItem(
  { at, kind, tone, title, text, commit, deployment }: TimelineEvent,
  { key, commitUrl, now }: Pick<TimelineSection, "key" | "commitUrl" | "now">,
): Html {
  return html`<li class="${kind}"><span class="mark ${tone}" aria-hidden="true"></span><div><p><b>${title}</b>${
    commit && html` ${commitLink(commitUrl, commit)}`
  }</p>${text && html`<p class="message">${sentenceOf(text)}</p>`}${
    deployment &&
    html`<p class="small"><a href="${detailHref(key)}?deployment=${deployment}#deployments">Its log</a></p>`
  }</div><p class="when soft">${clockOf(at)}<span>${ago(at, now)}</span></p></li>`;
}
