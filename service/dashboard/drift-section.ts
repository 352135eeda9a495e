/** What somebody changed by hand: what the last look found, a look when somebody asks for it, and the repair. */
import type { Request, Router } from "express";
import { detailHref } from "../addresses.ts";
import type { Actions } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import { type Html, html } from "../html.ts";
import type { Session } from "../session.ts";
import type { Preview } from "../status.ts";
import { within } from "../within.ts";
import type { Answering } from "./answering.ts";
import { postForm, submitButton } from "./forms.ts";
import { failedPage, missingPage, refusedPage } from "./notices.ts";
import { form } from "./posted.ts";
import { ago } from "./times.ts";
import { verbOf } from "./verbs.ts";

/** Undefined for who may not act. */
export function driftSection(view: PreviewView, session: Session | undefined, now: Date): Html {
  return html`${foundOf(view, session, now)}${session && compareForm(view, session)}`;
}

export function comparisonDone({ key }: PreviewView): string {
  return `${key} is being compared with the world. What differs appears under Resources in a moment.`;
}

function foundOf({ key, drift }: PreviewView, session: Session | undefined, now: Date): Html {
  if (!drift) return html`<p class="soft">Not compared with the world yet.</p>`;
  const { differences, unread, at } = drift;
  return html`${
    differences.length > 0
      ? html`<div class="banner warning"><div><p><b>Edited by hand</b>, as seen ${ago(at, now)}:</p><ul class="things">${differences.map(
          ({ message, change }) =>
            html`<li>${message}${change?.by && html` <span class="soft">by ${change.by}</span>`}</li>`,
        )}</ul></div>${session && repairForm(key, session)}</div>`
      : at !== undefined && html`<p class="soft">As it should be, as seen ${ago(at, now)}.</p>`
  }${unread && html`<p class="soft">It could not be compared with the world ${ago(unread.at, now)}: ${unread.message}</p>`}`;
}

function repairForm(key: string, session: Session): Html {
  const { text, question } = verbOf("repair");
  return postForm({
    to: `${detailHref(key)}/actions`,
    session,
    label: `Repair of ${key}`,
    fields: { from: "detail" },
    body: submitButton({ name: "action", value: "repair", text, question: question?.(key) ?? "", id: "do-repair" }),
  });
}

/** There is nothing to compare before its first version. */
function compareForm({ key, commit }: PreviewView, session: Session): Html {
  if (commit === undefined) return html``;
  return postForm({
    to: `${detailHref(key)}/drift`,
    session,
    label: `Comparison of ${key}`,
    body: submitButton({ name: "action", value: "compare", text: "Compare with the world" }),
  });
}

export interface DriftPagesDeps extends Pick<Answering, "frameOf" | "actor" | "send"> {
  readonly actions: Pick<Actions, "drift">;
  /** Undefined for a key that there is not. */
  readonly named: (request: Request) => Promise<Preview | undefined>;
}

/** In it a comparison that cannot begin says so; one that began takes longer than anybody waits for a page. */
const BEGUN_MS = 300;

export function driftPages(pages: Router, { actions, named, frameOf, actor, send }: DriftPagesDeps): void {
  pages.post("/previews/:key/drift", form, async (request, response) => {
    const frame = await frameOf(request);
    if (!actor(request)) return send(response, 403, refusedPage(frame));
    const preview = await named(request);
    if (!preview) return send(response, 404, missingPage(frame));
    const { key } = preview;
    // What it finds, or why it could not be read, comes into the record and so onto the page.
    const problem = actions.drift(key).then(
      () => undefined,
      (error: unknown) => plainError(error).message,
    );
    const refused = await within(BEGUN_MS, problem, undefined);
    if (refused !== undefined) return send(response, 422, failedPage(refused, frame));
    response.redirect(303, `${detailHref(key)}?done=compare`);
  });
}
