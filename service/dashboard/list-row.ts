/** One preview in the list: a row of the table, and a card where there is no room for one. */
import { detailHref } from "../addresses.ts";
import { furtherLinks, type PreviewView } from "../api/preview-view.ts";
import { type Html, html, safeHref, sentenceOf } from "../html.ts";
import { moneyWords } from "../money/amount.ts";
import { alarmBanner } from "./alarm-section.ts";
import { verbForm } from "./forms.ts";
import { chip, type Frame } from "./layout.ts";
import { warningInShort } from "./life-section.ts";
import { expiryOf } from "./listing.ts";
import type { MonthCosts } from "./month-costs.ts";
import { age, ago, until } from "./times.ts";

export interface RowFrame extends Pick<Frame, "session" | "now"> {
  /** Absent: nothing is known of costs. */
  readonly costs?: MonthCosts;
}

/** @param attributes of the row itself, beside its own */
export function rowOf(view: PreviewView, { session, now, costs }: RowFrame, attributes = html``): Html {
  const { key, stack, repository } = view;
  const cells = session
    ? html`<td>${chip(view.condition, view.reason)}</td><td>${repository}</td>${pullCell(view, now)}
<td>${view.author ?? html`<span class="soft">by hand</span>`}</td>${timeCells(view, now)}
<td>${costOf(costs?.get(key))}</td><td>${commitOf(view)}</td><td>${linksOf(view)}<a class="more" href="${detailHref(key)}" hx-get="${detailHref(key)}/menu" aria-label="Actions on ${key}">Actions</a></td>`
    : html`<td>${chip(view.condition, view.reason)}</td><td>${repository}</td><th scope="row"><a href="${detailHref(key)}">${key}</a></th><td>${linksOf(view)}</td>`;
  return html`<tr id="preview-${stack}" data-key="${key}"${attributes}>${cells}</tr>`;
}

/** What can be done with it, in a dialog of the list. */
export function rowMenu(view: PreviewView, { session }: Pick<Frame, "session">, back: string): Html {
  const form = session ? verbForm({ view, session, from: "list", back }) : html``;
  const body = form.markup === "" ? html`<p class="soft">There is nothing to do with it now.</p>` : form;
  return html`<h2>${view.key}</h2>${view.title && html`<p class="soft">${view.title}</p>`}${body}
<form method="dialog" class="actions"><a class="button" href="${detailHref(view.key)}">All about it</a><button>Close</button></form>`;
}

function pullCell(view: PreviewView, now: Date): Html {
  const { key, title, gitBranch, condition, stage, message } = view;
  const isUnwell = condition !== "Ready" || stage === "Gone";
  return html`<th scope="row"><a href="${detailHref(key)}">${key}</a><span class="about">${title ?? gitBranch}</span>${
    isUnwell && html`<span class="why">${sentenceOf(message)}</span>`
  }${alarmBanner(view)}${warningInShort(view, now)}</th>`;
}

function timeCells({ createdAt, goneAt, lastVisitAt, kept, ends, teardownAt }: PreviewView, now: Date): Html {
  const end = expiryOf(ends, teardownAt);
  const expires = goneAt
    ? html`gone ${ago(goneAt, now)}`
    : kept
      ? html`<span class="soft">kept</span>`
      : end
        ? until(end, now)
        : html`<span class="soft">never</span>`;
  return html`<td>${age(createdAt, now)}</td><td>${ago(lastVisitAt, now)}</td><td>${expires}</td>`;
}

function costOf(found: { readonly cost: number; readonly currency: string } | undefined): Html {
  return found ? html`${moneyWords(found.cost, found.currency)}` : html``;
}

function commitOf({ commit, headSha }: PreviewView): Html {
  const sha = commit ?? headSha;
  return sha ? html`<code>${sha.slice(0, 7)}</code>` : html``;
}

/** Its host's first label, which is what differs from row to row. */
function linksOf(view: PreviewView): Html {
  const { url } = view;
  if (!url) return view.stage === "Gone" ? html`` : html`<span class="soft">No link yet</span>`;
  const host = URL.canParse(url) ? new URL(url).host : url;
  return html`<a class="open" href="${safeHref(url)}">${host.split(".")[0]}</a>${furtherLinks(view).map(
    ([name, other]) => html` <a class="soft" href="${safeHref(other)}">${name}</a>`,
  )}`;
}
