/** The button by which somebody lets one commit of a stranger run, and what its form brings back. */
import type { Request, Router } from "express";
import { detailHref } from "../addresses.ts";
import { linkedHeads } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { plainError } from "../api/streams.ts";
import { type Html, html, safeHref } from "../html.ts";
import type { Session } from "../session.ts";
import { isCommitId } from "../trust.ts";
import type { Answering } from "./answering.ts";
import { postForm, submitButton } from "./forms.ts";
import { failedPage, missingPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

const TEXT = "Approve this commit";

/** Bound to the commits that the page shows: a push to any meanwhile makes the answer a refusal. */
export function approvalSection(view: PreviewView, session: Session): Html {
  const { key, awaitsApproval: sha, reviewUrl, approval } = view;
  if (sha === undefined) return html``;
  const shown = html`<code>${sha.slice(0, 12)}</code>`;
  const beside = besideOf(view);
  const body = submitButton({
    name: "action",
    value: "approve",
    text: TEXT,
    question: questionOf(view, sha),
    tone: "primary",
  });
  return html`<div class="banner warning"><p><b>Commit ${shown} waits for an approval.</b>
Look at ${reviewUrl ? html`<a href="${safeHref(reviewUrl)}">what it changes</a>` : "what it changes"} first${beside.map(besideIt)}.
It counts for ${beside.length > 0 ? "these commits" : "this commit"} alone${approval?.trusted ? "." : "; it then runs with a database of its own and none of the operator's secrets."}</p>
${postForm({ to: `${detailHref(key)}/approve`, session, label: `Approval of ${key}`, fields: { sha, linked: JSON.stringify(view.awaitsWith ?? {}) }, body })}</div>`;
}

export function approvalDone(view: Pick<PreviewView, "key" | "approval" | "links">): string {
  const { key, approval } = view;
  if (approval) return `The approval is noted: ${key} is built once nothing is missing any more.`;
  // What runs beside it may wait yet by a rule of its own repository.
  return besideOf(view).length > 0
    ? `The approval is noted: ${key} is built without the operator's secrets once nothing is missing any more.`
    : `The commit may run: ${key} is built without the operator's secrets.`;
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
    const linked = linkedOf(fieldOf(request, "linked"));
    if (!isCommitId(sha) || !linked) return send(response, 400, refusedPage(frame));
    const [backTo, question] = [detailHref(view.key), questionOf(view, sha)];
    if (!isConfirmed(request)) {
      const to = `${backTo}/approve`;
      const fields = { sha, linked: JSON.stringify(linked) };
      return send(response, 200, questionPage({ question, text: TEXT, to, session, fields, backTo, frame }));
    }
    try {
      await doing.act(request, view.key, { action: "approve", sha, linked });
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `${backTo}?done=approve`);
  });
}

/** As the form brings it back; undefined: no form of ours does. */
function linkedOf(field: string | undefined): Readonly<Record<string, string>> | undefined {
  try {
    return linkedHeads.safeParse(JSON.parse(field ?? "")).data;
  } catch {
    return undefined;
  }
}

function questionOf(view: PreviewView, sha: string): string {
  const { key, author } = view;
  const others = besideOf(view).map(({ said, headSha }) => `, with ${headSha.slice(0, 12)} of ${said}`);
  return `Approve commit ${sha.slice(0, 12)} of ${key}${author ? ` by ${author}` : ""}${others.join("")}? Its code then runs on your target.`;
}

/** Heads of linked pull requests: the approval is one of them as well. */
function besideOf({ links = [] }: Pick<PreviewView, "links">): readonly Beside[] {
  return links.flatMap(({ said, headSha, url, problem }) =>
    headSha === undefined || problem !== undefined ? [] : [{ said, headSha, ...(url === undefined ? {} : { url }) }],
  );
}

interface Beside {
  readonly said: string;
  readonly headSha: string;
  readonly url?: string;
}

function besideIt({ said, headSha, url }: Beside): Html {
  const name = url === undefined ? said : html`<a href="${safeHref(url)}">${said}</a>`;
  return html`, and at <code>${headSha.slice(0, 12)}</code> of ${name}, which runs beside it`;
}
