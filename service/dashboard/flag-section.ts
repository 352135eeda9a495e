/** The buttons that set a preview's feature flags, and what their forms bring back. */
import type { Router } from "express";
import { detailHref } from "../addresses.ts";
import { actionRequest } from "../api/actions.ts";
import type { FlagView, PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import { type Html, html } from "../html.ts";
import type { Session } from "../session.ts";
import type { OnePreview } from "./choice.ts";
import { postForm } from "./forms.ts";
import { failedPage, missingPage, refusedPage } from "./notices.ts";
import { fieldOf, form } from "./posted.ts";

/** Nothing where there are none, or nothing serves. */
export function flagSection({ key, stage, flags = [] }: PreviewView, session: Session): Html {
  if (flags.length === 0 || stage === "Gone" || stage === "Closed") return html``;
  return html`<section class="card"><h2>Feature flags</h2><p class="soft">A change updates the preview with the same commit: its services start anew, its database stays.</p>
<dl class="flags">${flags.map((flag) => html`<div><dt><code>${flag.name}</code></dt><dd>${flagForm(key, flag, session)}</dd></div>`)}</dl></section>`;
}

export function flagDone({ key }: Pick<PreviewView, "key">): string {
  return `The flag of ${key} is set; the next version has it.`;
}

function flagForm(
  key: string,
  { name, value, default: usual, values, wished, setBy }: FlagView,
  session: Session,
): Html {
  const choices = typeof usual === "boolean" ? [true, false] : values;
  const buttons = choices?.map(
    (choice) =>
      html`<button name="value" value="${String(choice)}" aria-pressed="${String(choice === wished)}" aria-label="${name} ${String(choice)}">${wordOf(choice)}</button>`,
  );
  const typed = html`<input name="value" value="${String(wished)}" maxlength="64" size="12" required aria-label="${name}"><button>Set</button>`;
  const back =
    setBy === "person" &&
    html`<button class="quiet" name="back" value="yes" formnovalidate aria-label="Take ${name} back">take back</button>`;
  const next = wished === value ? "" : ", from the next version on";
  const whose = setBy === undefined ? "" : setBy === "label" ? ", by a label" : ", by a person";
  return postForm({
    to: `${detailHref(key)}/flags`,
    session,
    label: `Flag ${name} of ${key}`,
    fields: { name },
    body: html`<span class="group">${buttons ?? typed}</span>${back}<span class="soft">default ${wordOf(usual)}${whose}${next}</span>`,
  });
}

/** As people say it. */
function wordOf(value: FlagView["value"]): string {
  return typeof value === "boolean" ? (value ? "on" : "off") : String(value);
}

/** Nothing is lost, so nothing is asked; what may not be is said. */
export function flagPages(pages: Router, { doing, named, frameOf, actor, send }: OnePreview): void {
  pages.post("/previews/:key/flags", form, async (request, response) => {
    const frame = await frameOf(request);
    if (!actor(request)) return send(response, 403, refusedPage(frame));
    const preview = await named(request);
    if (!preview) return send(response, 404, missingPage(frame));
    const name = fieldOf(request, "name");
    const value = fieldOf(request, "back") === "yes" ? {} : { value: fieldOf(request, "value")?.trim() ?? "" };
    const { data: wish } = actionRequest.safeParse({ action: "flag", name, ...value });
    if (!wish) return send(response, 400, refusedPage(frame));
    try {
      await doing.act(request, preview.key, wish);
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${detailHref(preview.key)}?done=flag`);
  });
}
