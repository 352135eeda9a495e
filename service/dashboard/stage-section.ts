/** What a stage was given and what waits for it, with the buttons that ask, approve and cancel, and what they bring back. */
import type { Router } from "express";
import { detailHref } from "../addresses.ts";
import { actionRequest } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import { type Html, html } from "../html.ts";
import { minuteOf } from "../reason-words.ts";
import type { Session } from "../session.ts";
import { promotedWords } from "../stages/promotion.ts";
import type { OnePreview } from "./choice.ts";
import { postForm, submitButton } from "./forms.ts";
import { failedPage, missingPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

const TEXTS: Readonly<Record<string, string>> = {
  promote: "Promote",
  "approve-promotion": "Approve this promotion",
  "cancel-promotion": "Cancel the promotion",
};

/** Nothing for what is promoted to by nobody. */
export function stageSection(view: PreviewView, session: Session | undefined): Html {
  const { promoted, promotion, promotable } = view;
  if (!promoted && !promotion && !promotable) return html``;
  const given = promoted
    ? html`<p>${promotedWords(promoted)} ${minuteOf(promoted.at)}</p>`
    : html`<p class="soft">Nothing was promoted to it yet.</p>`;
  return html`<section class="card" id="promotion"><h2>Promotion</h2>${given}${promotion && waiting(view, promotion, session)}${session && promotable && !promotion && offer(view, promotable, session)}</section>`;
}

export function promotionDone({ key, promotion }: PreviewView): string {
  if (!promotion) return `What waited for ${key} is over: it was promoted or cancelled.`;
  return promotion.waitsFor === undefined
    ? `${promotion.sha.slice(0, 7)} comes to ${key} now.`
    : `${promotion.waitsFor}, to come to ${key}.`;
}

function waiting(
  view: PreviewView,
  { sha, from, by, at, approvals, waitsFor }: NonNullable<PreviewView["promotion"]>,
  session: Session | undefined,
): Html {
  const approved = approvals.length > 0 ? ` Approved by ${approvals.map((one) => one.by).join(" and ")}.` : "";
  const words = html`<div class="banner warning"><p><b>${waitsFor ?? `${sha.slice(0, 7)} comes next`}.</b>
${by} asked for ${sha.slice(0, 7)} of ${from}.${approved} An approval counts for this commit alone.</p>`;
  if (!session) return html`${words}</div>`;
  const buttons = (["approve-promotion", "cancel-promotion"] as const).map((action) => button(view, action, sha));
  return html`${words}${formOf(view, session, { sha, at }, buttons)}</div>`;
}

function offer(
  view: PreviewView,
  { from, sha, problem }: NonNullable<PreviewView["promotable"]>,
  session: Session,
): Html {
  if (problem !== undefined || sha === undefined) return html`<p class="soft">${problem ?? ""}</p>`;
  return formOf(view, session, { sha, from }, [button(view, "promote", sha)]);
}

function formOf({ key }: PreviewView, session: Session, fields: Readonly<Record<string, string>>, body: Html[]): Html {
  return postForm({ to: `${detailHref(key)}/promote`, session, label: `Promotion to ${key}`, fields, body });
}

function button(view: PreviewView, action: string, sha: string): Html {
  const text = action === "promote" ? `Promote ${sha.slice(0, 7)}` : (TEXTS[action] ?? action);
  const tone = action === "cancel-promotion" ? "danger" : "primary";
  return submitButton({ name: "action", value: action, text, question: questionOf(view.key, action, sha), tone });
}

function questionOf(key: string, action: string, sha: string): string {
  const commit = sha.slice(0, 12);
  if (action === "promote")
    return `Promote commit ${commit} to ${key}? It serves there once it is approved and its time has come.`;
  if (action === "approve-promotion") return `Approve the promotion of commit ${commit} to ${key}?`;
  return `Cancel the promotion of commit ${commit} to ${key}?`;
}

/** Asks first. What was shown is what is sent: another commit meanwhile makes the answer a refusal. */
export function stagePages(pages: Router, { doing, named, frameOf, actor, send }: OnePreview): void {
  pages.post("/previews/:key/promote", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const preview = await named(request);
    if (!preview) return send(response, 404, missingPage(frame));
    const { key } = preview;
    const fields = Object.fromEntries(
      ["action", "sha", "from", "at"].flatMap((name) => {
        const value = fieldOf(request, name);
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    const { action = "", sha = "", from, at } = fields;
    const { data: wish } = actionRequest.safeParse({
      ...{ action, sha },
      ...(from === undefined || action !== "promote" ? {} : { from }),
      ...(at === undefined || action === "promote" ? {} : { at }),
    });
    const text = Object.hasOwn(TEXTS, action) ? TEXTS[action] : undefined;
    if (!wish || text === undefined) return send(response, 400, refusedPage(frame));
    const backTo = detailHref(key);
    if (!isConfirmed(request)) {
      const asked = { question: questionOf(key, action, sha), text, to: `${backTo}/promote`, fields };
      return send(response, 200, questionPage({ ...asked, session, backTo, frame }));
    }
    try {
      await doing.act(request, key, wish);
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${backTo}?done=promote`);
  });
}
