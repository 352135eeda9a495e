/** Where a preview stands in its life and what ends it, in words. */
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import { KEEP_LABEL } from "../lifecycle.ts";
import { minuteOf } from "../reason-words.ts";
import type { Stage } from "../status.ts";
import { ago, until, untilMinute } from "./times.ts";

/** `Idle (warned)` for Idle; the others speak for themselves. */
function stageText(stage: Stage): string {
  return stage === "Idle" ? "Idle (warned)" : stage;
}

/** The warning that stands, and what undoes it. */
export function warningOf({ goesAt, ends }: PreviewView, now: Date): Html {
  if (goesAt === undefined) return html``;
  return html`<div class="banner warning"><p><b>Nobody has used it since ${ends ? minuteOf(ends.idleSince) : "long"}.</b>
It is removed ${until(goesAt, now)}, unless somebody visits, pushes, extends or keeps it.</p></div>`;
}

/** For the list. */
export function warningInShort({ goesAt, ends }: PreviewView, now: Date): Html {
  if (goesAt === undefined) return html``;
  return html`<span class="why warned">Nobody has used it since ${ends ? minuteOf(ends.idleSince) : "long"}. It is removed ${until(goesAt, now)}, unless somebody uses or keeps it.</span>`;
}

export function lifeSection(view: PreviewView, now: Date): Html {
  const { ends } = view;
  const facts: readonly (readonly [string, Html] | false | undefined)[] = [
    ["Stage of life", html`${stageText(view.stage)}`],
    view.goneAt !== undefined && ["Gone", ago(view.goneAt, now)],
    ["Created", ago(view.createdAt, now)],
    ["Last push", ago(view.lastPushAt, now)],
    ["Last visit", ago(view.lastVisitAt, now)],
    ends && ["Last used", ago(ends.idleSince, now)],
    ends?.sleepsAt !== undefined && ["Falls asleep", untilMinute(ends.sleepsAt, now)],
    view.kept && ["Kept", html`${keptText(view)}`],
    !view.kept && view.extendedTo !== undefined && ["Extended to", untilMinute(view.extendedTo, now)],
    ends?.idleStop !== undefined && ["Removed if unused", untilMinute(ends.idleStop, now)],
    ends?.hardStop !== undefined && ["Hard stop", untilMinute(ends.hardStop, now)],
    view.teardownAt !== undefined && ["Weekly teardown", untilMinute(view.teardownAt, now)],
  ];
  const shown = facts.filter((fact) => fact !== undefined && fact !== false);
  return html`<section class="card" id="life"><h2>Life</h2><p class="soft">${sentence(view)}</p><dl class="facts">${shown.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></section>`;
}

function sentence({ stage, kept, ends }: PreviewView): string {
  if (stage === "Gone") return "Its services, database and link are gone.";
  if (stage === "Closed") return "It is being removed.";
  if (kept) return "It sleeps when nobody looks, and neither idleness nor age removes it.";
  if (ends?.idleStop === undefined && ends?.hardStop === undefined) return "It stays until it is taken down.";
  return "A visit, a push or an extension keeps it from going idle.";
}

function keptText({ keptBy }: PreviewView): string {
  return keptBy === "label" ? `by the label "${KEEP_LABEL}"` : "by a person";
}
