/** The button that makes a share link, and the page that shows it once. */
import type { Request, Router } from "express";
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { SHARE_SECONDS } from "../api/routes/share.ts";
import { plainError } from "../api/streams.ts";
import type { Share, ShareLink } from "../gateway/access/share.ts";
import { type Html, html, safeHref } from "../html.ts";
import { minuteOf } from "../reason-words.ts";
import type { Session } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Answering } from "./answering.ts";
import { copyButton } from "./copy-button.ts";
import { buttonGroup, postForm, submitButton } from "./forms.ts";
import { type Frame, layout } from "./layout.ts";
import { failedPage, missingPage, refusedPage } from "./notices.ts";
import { fieldOf, form } from "./posted.ts";

const DAY_SECONDS = 86_400;
const LIVES: ReadonlyMap<string, { readonly seconds: number; readonly text: string; readonly label: string }> = new Map(
  [
    ["day", { seconds: SHARE_SECONDS, text: "24 hours", label: "Share link for 24 hours" }],
    ["week", { seconds: 7 * DAY_SECONDS, text: "7 days", label: "Share link for 7 days" }],
  ],
);

/** Nothing where there is nothing to be let into. */
export function shareForm({ key, stage, url }: PreviewView, session: Session): Html {
  if (stage === "Gone" || stage === "Closed" || url === undefined) return html``;
  const buttons = [...LIVES].map(([value, { text, label }]) => submitButton({ name: "life", value, text, label }));
  const body = buttonGroup("Share link", buttons);
  return postForm({ to: `${detailHref(key)}/share`, session, label: `Share ${key}`, body, leaves: true });
}

export interface SharePagesDeps extends Answering {
  readonly share: Share;
  readonly named: (request: Request) => Promise<Preview | undefined>;
}

export function sharePages(pages: Router, deps: SharePagesDeps): void {
  pages.post("/previews/:key/share", form, async (request, response) => {
    const frame = await deps.frameOf(request);
    if (!deps.actor(request)) return deps.send(response, 403, refusedPage(frame));
    const preview = await deps.named(request);
    if (!preview) return deps.send(response, 404, missingPage(frame));
    const { seconds } = LIVES.get(fieldOf(request, "life") ?? "") ?? { seconds: SHARE_SECONDS };
    try {
      const what = { action: "share", key: preview.key, detail: `for ${seconds} s` };
      const link = await deps.doing.note(request, what, () => deps.share(preview, { seconds }));
      deps.send(response, 201, linkPage(preview.key, link, frame));
    } catch (error) {
      deps.send(response, 422, failedPage(plainError(error).message, frame));
    }
  });
}

/** An answer and no address of its own, so that the link stands in no history. */
function linkPage(key: string, { url, expiresAt }: ShareLink, frame: Frame): Html {
  const live = html`<div class="card"><h1>Share link for ${key}</h1>
<p class="once"><a id="link" href="${safeHref(url)}">${url}</a>${copyButton("link")}</p>
<p class="soft">Whoever has it gets in, until ${minuteOf(expiresAt)}. It is shown once and cannot be taken back.</p>
<p><a href="${detailHref(key)}">Back to ${key}</a></p></div>`;
  return layout({ title: `Share link for ${key}`, frame, liveUrl: "", live });
}
