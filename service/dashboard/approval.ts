/** The button by which somebody lets one commit of a stranger run, and what its form brings back. */
import type { Request, Router } from "express";
import type { PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import type { Session } from "../session.ts";
import { isCommitId } from "../trust.ts";
import type { Answering } from "./answering.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Html, html, safeHref } from "./html.ts";
import { detailHref } from "./listing.ts";
import { failedPage, missingPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

const TEXT = "Approve this commit";

/** Bound to the commit that the page shows: a push meanwhile makes the answer a refusal. */
export function approvalSection(view: PreviewView, session: Session): Html {
  const { key, awaitsApproval: sha, reviewUrl, approval } = view;
  if (sha === undefined) return html``;
  const shown = html`<code>${sha.slice(0, 12)}</code>`;
  const body = submitButton({
    name: "action",
    value: "approve",
    text: TEXT,
    question: questionOf(view, sha),
    tone: "primary",
  });
  return html`<div class="banner warning"><p><b>Commit ${shown} waits for an approval.</b>
Look at ${reviewUrl ? html`<a href="${safeHref(reviewUrl)}">what it changes</a>` : "what it changes"} first.
It counts for this commit alone${approval?.trusted ? "." : "; it then runs with a database of its own and none of the operator's secrets."}</p>
${postForm({ to: `${detailHref(key)}/approve`, session, label: `Approval of ${key}`, fields: { sha }, body })}</div>`;
}

export function approvalDone({ key, approval }: Pick<PreviewView, "key" | "approval">): string {
  if (approval) return `The approval is noted: ${key} is built once nothing is missing any more.`;
  return `The commit may run: ${key} is built without the operator's secrets.`;
}

export interface ApprovalPages extends Answering {
  /** Undefined for a key that there is not. */
  readonly viewOf: (request: Request) => Promise<PreviewView | undefined>;
}

/** Asks first, for what it lets in runs. */
export function approvalPages(pages: Router, { doing, viewOf, frameOf, actor, send }: ApprovalPages): void {
  pages.post("/previews/:key/approve", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const view = await viewOf(request);
    if (!view) return send(response, 404, missingPage(frame));
    const sha = fieldOf(request, "sha")?.toLowerCase() ?? "";
    if (!isCommitId(sha)) return send(response, 400, refusedPage(frame));
    const [backTo, question] = [detailHref(view.key), questionOf(view, sha)];
    if (!isConfirmed(request)) {
      const to = `${backTo}/approve`;
      return send(response, 200, questionPage({ question, text: TEXT, to, session, fields: { sha }, backTo, frame }));
    }
    try {
      await doing.act(request, view.key, { action: "approve", sha });
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${backTo}?done=approve`);
  });
}

function questionOf({ key, author }: PreviewView, sha: string): string {
  return `Approve commit ${sha.slice(0, 12)} of ${key}${author ? ` by ${author}` : ""}? Its code then runs on your target.`;
}
