/** The buttons by which somebody goes back to a commit that served before, and what their form brings back. */
import type { Request, Router } from "express";
import { type Actions, act, actionRequest } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import { minuteOf } from "../reason-words.ts";
import type { Session } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Answering } from "./answering.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Html, html } from "./html.ts";
import { detailHref } from "./listing.ts";
import { failedPage, missingPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

const TEXT = "Roll back";
const OFFERED = 5;

/** Nothing where there is nowhere to go back to. */
export function rollbackForm(
  { key, stage, rolledBack, goodCommits = [], headSha }: PreviewView,
  session: Session,
): Html {
  if (stage === "Gone" || stage === "Closed") return html``;
  const to = `${detailHref(key)}/rollback`;
  const ahead = rolledBack && headSha;
  const buttons = [
    ...(ahead
      ? [button(headSha, "Follow the head", `Follow the head of ${key} again? It then serves its newest commit.`)]
      : []),
    ...goodCommits
      .slice(0, OFFERED)
      .map(({ sha, at }) =>
        button(sha, sha.slice(0, 7), questionOf(key, sha), `Roll back to ${sha.slice(0, 7)} of ${minuteOf(at)}`),
      ),
  ];
  if (buttons.length === 0) return html``;
  const body = html`<span class="group" role="group" aria-label="Roll back to"><span class="soft" aria-hidden="true">Roll back to</span>${buttons}</span>`;
  return postForm({ to, session, label: `Rollback of ${key}`, body });
}

function button(sha: string, text: string, question: string, label?: string): Html {
  return submitButton({ name: "sha", value: sha, text, question, tone: "danger", ...(label ? { label } : {}) });
}

export function rollbackDone({ key }: Pick<PreviewView, "key">): string {
  return `${key} is brought to the commit that you chose.`;
}

export interface RollbackPages extends Answering {
  readonly actions: Actions;
  /** Undefined for a key that there is not. */
  readonly named: (request: Request) => Promise<Preview | undefined>;
}

/** Asks first, for what is in the database may be lost. */
export function rollbackPages(pages: Router, { actions, named, frameOf, actor, send }: RollbackPages): void {
  pages.post("/previews/:key/rollback", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const preview = await named(request);
    if (!preview) return send(response, 404, missingPage(frame));
    const { key } = preview;
    const sha = fieldOf(request, "sha") ?? "";
    const { data: wish } = actionRequest.safeParse({ action: "rollback", sha });
    if (!wish) return send(response, 400, refusedPage(frame));
    const backTo = detailHref(key);
    if (!isConfirmed(request)) {
      const [question, to, fields] = [questionOf(key, sha), `${backTo}/rollback`, { sha }];
      return send(response, 200, questionPage({ question, text: TEXT, to, session, fields, backTo, frame }));
    }
    try {
      await act(actions, key, wish, "page");
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${backTo}?done=rollback`);
  });
}

function questionOf(key: string, sha: string): string {
  return `Bring ${key} to commit ${sha.slice(0, 7)}? Where newer migrations changed its database, that is made anew and what is in it is lost.`;
}
