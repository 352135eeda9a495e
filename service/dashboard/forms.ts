/** Forms that work without a script; with one they are sent in place, and questions are asked in a dialog. */
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import { may } from "../roles.ts";
import type { Session } from "../session.ts";
import { EXTENSIONS, type VerbName, verbOf, verbsFor } from "./verbs.ts";

export interface PostForm {
  readonly to: string;
  readonly session: Session;
  /** For those who do not see where it stands. */
  readonly label: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body: Html | readonly Html[];
  /** Answered with a page of its own, and so never sent in place. */
  readonly leaves?: boolean;
}

export function postForm({ to, session, label, fields = {}, body, leaves }: PostForm): Html {
  const hidden = Object.entries({ csrf: session.csrf, ...fields });
  return html`<form class="actions" method="post" action="${to}" aria-label="${label}"${!leaves && sentInPlace(to)}>
${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${body}</form>`;
}

/** What is said comes into its place, and the page becomes as it was answered where it is the one that is open. */
function sentInPlace(to: string): Html {
  return html` hx-post="${to}" hx-target="#live" hx-select="#live" hx-select-oob="#outcome:morph" hx-swap="morph"`;
}

export interface SubmitButton {
  readonly name: string;
  readonly value: string;
  readonly text: string;
  readonly label?: string;
  /** Asked before it is sent. */
  readonly question?: string;
  readonly tone?: "primary" | "danger";
  /** Where links lead to it. */
  readonly id?: string;
}

export function submitButton({ name, value, text, label, question, tone, id }: SubmitButton): Html {
  const asks = question === undefined ? html`` : html` data-question="${question}"`;
  const at = id === undefined ? html`` : html` id="${id}"`;
  return html`<button name="${name}" value="${value}" class="${tone}"${at}${label ? html` aria-label="${label}"` : html``}${asks}>${text}</button>`;
}

/** Buttons that are answers to one thing, with its words before them. */
export function buttonGroup(words: string, buttons: readonly Html[]): Html {
  return html`<span class="group" role="group" aria-label="${words}"><span class="soft" aria-hidden="true">${words}</span>${buttons}</span>`;
}

/** Every verb that fits the preview now; without one, nothing. */
export function verbForm({
  view,
  session,
  from,
  back,
}: {
  readonly view: PreviewView;
  readonly session: Session;
  /** The page to come back to. */
  readonly from: "list" | "detail";
  /** The list as it was asked for. */
  readonly back?: string;
}): Html {
  const { plain: all, extend } = verbsFor(view);
  // Seldom asked for, and a row has little room.
  const elsewhere: readonly VerbName[] = from === "list" ? ["rotate"] : DATABASE_VERBS;
  const plain = all.filter((name) => !elsewhere.includes(name));
  if (plain.length === 0 || !may(session, "operate", view.repository)) return html``;
  // What concerns its time stands together, before what builds and what loses something.
  const clocks = plain.filter((name) => verbOf(name).wish.action !== "redeploy" && !verbOf(name).question);
  const others = plain.filter((name) => !clocks.includes(name));
  return postForm({
    to: `${detailHref(view.key)}/actions`,
    session,
    label: `Actions on ${view.key}`,
    fields: { from, ...(back === undefined ? {} : { back }) },
    body: html`${clocks.map((name) => buttonOf(name, view, from))}${extend && extendGroup(view, from)}${others.map((name) => buttonOf(name, view, from))}`,
  });
}

/** Beside its database on a preview's own page. */
const DATABASE_VERBS: readonly VerbName[] = ["reset-db", "rotate"];

/** Some verbs, of those that fit the preview now. */
export function verbButtons(view: PreviewView, session: Session, names: readonly VerbName[]): Html {
  const fitting = verbsFor(view).plain.filter((name) => names.includes(name));
  if (fitting.length === 0) return html``;
  return postForm({
    to: `${detailHref(view.key)}/actions`,
    session,
    label: `Database of ${view.key}`,
    fields: { from: "detail" },
    body: fitting.map((name) => buttonOf(name, view, "detail")),
  });
}

function extendGroup(view: PreviewView, from: "list" | "detail"): Html {
  const buttons = EXTENSIONS.map((name) => buttonOf(name, view, from));
  return buttonGroup("Extend", buttons);
}

function buttonOf(name: VerbName, { key }: PreviewView, from: "list" | "detail"): Html {
  const { text, label, question } = verbOf(name);
  // The banner leads here; a list has many of each.
  const id = from === "detail" ? `do-${name}` : undefined;
  const tone = question ? "danger" : name === "rebuild" ? "primary" : undefined;
  return submitButton({ name: "action", value: name, text, label, question: question?.(key), tone, id });
}
