/** The buttons that choose what a preview's database is seeded with, and what their form brings back. */
import type { Request, Router } from "express";
import { type Actions, act, actionRequest } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import type { Session } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Answering } from "./answering.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Html, html } from "./html.ts";
import { detailHref } from "./listing.ts";
import { failedPage, missingPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

const TEXT = "Make its database anew";

/** Nothing where there is no choice. */
export function seedForm({ key, stage, scenario, scenarios = [] }: PreviewView, session: Session): Html {
  if (scenarios.length === 0 || stage === "Gone" || stage === "Closed") return html``;
  const buttons = scenarios.map((name) =>
    submitButton({
      name: "scenario",
      value: name,
      text: name === scenario ? `${name} (again)` : name,
      label: `Seed with ${name}`,
      question: questionOf(key, name),
      tone: "danger",
    }),
  );
  const body = html`<span class="group" role="group" aria-label="Seed with"><span class="soft" aria-hidden="true">Seed with</span>${buttons}</span>`;
  return postForm({ to: `${detailHref(key)}/seed`, session, label: `Seed of ${key}`, body });
}

export function seedDone({ key }: Pick<PreviewView, "key">): string {
  return `The database of ${key} is made anew and seeded.`;
}

export interface SeedPages extends Answering {
  readonly actions: Actions;
  /** Undefined for a key that there is not. */
  readonly named: (request: Request) => Promise<Preview | undefined>;
}

/** Asks first, for what is in the database is lost. */
export function seedPages(pages: Router, { actions, named, frameOf, actor, send }: SeedPages): void {
  pages.post("/previews/:key/seed", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const preview = await named(request);
    if (!preview) return send(response, 404, missingPage(frame));
    const { key } = preview;
    const scenario = fieldOf(request, "scenario") ?? "";
    const { data: wish } = actionRequest.safeParse({ action: "seed", scenario });
    if (!wish) return send(response, 400, refusedPage(frame));
    const backTo = detailHref(key);
    if (!isConfirmed(request)) {
      const [question, to, fields] = [questionOf(key, scenario), `${backTo}/seed`, { scenario }];
      return send(response, 200, questionPage({ question, text: TEXT, to, session, fields, backTo, frame }));
    }
    try {
      await act(actions, key, wish, "page");
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${backTo}?done=seed`);
  });
}

function questionOf(key: string, scenario: string): string {
  return `Seed ${key} with "${scenario}"? Its database is made anew, and what is in it is lost.`;
}
