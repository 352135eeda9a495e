/** A choice that may lose data: its form's answer is a question first, then done, then said on the preview's page. */
import type { Request, Router } from "express";
import { detailHref } from "../addresses.ts";
import { actionRequest } from "../api/actions.ts";
import { plainError } from "../api/streams.ts";
import type { Preview } from "../status.ts";
import type { Answering } from "./answering.ts";
import { failedPage, missingPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

export interface Choice {
  /** Of the API, and the end of the form's address. */
  readonly action: "seed" | "rollback";
  /** Of the form and of the action: what was chosen. */
  readonly field: "scenario" | "sha";
  /** Of the button that says yes. */
  readonly text: string;
  readonly question: (key: string, chosen: string) => string;
}

/** What routes need that act on one preview. */
export interface OnePreview extends Answering {
  /** Undefined for a key that there is not. */
  readonly named: (request: Request) => Promise<Preview | undefined>;
}

export function choicePages(
  pages: Router,
  { action, field, text, question }: Choice,
  { doing, named, frameOf, actor, send }: OnePreview,
): void {
  pages.post(`/previews/:key/${action}`, form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const preview = await named(request);
    if (!preview) return send(response, 404, missingPage(frame));
    const { key } = preview;
    const chosen = fieldOf(request, field) ?? "";
    const { data: wish } = actionRequest.safeParse({ action, [field]: chosen });
    if (!wish) return send(response, 400, refusedPage(frame));
    const backTo = detailHref(key);
    if (!isConfirmed(request)) {
      const asked = { question: question(key, chosen), text, to: `${backTo}/${action}`, fields: { [field]: chosen } };
      return send(response, 200, questionPage({ ...asked, session, backTo, frame }));
    }
    try {
      await doing.act(request, key, wish);
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${backTo}?done=${action}`);
  });
}
