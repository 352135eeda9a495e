/** What a visitor sees when there is no application to show: a page, a line of text or JSON, never a bare 502. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pageUrl } from "../addresses.ts";
import { isRebuildable } from "../api/preview-view.ts";
import { documentOf, type Html, html, safeHref, sentenceOf } from "../html.ts";
import { minuteOf } from "../reason-words.ts";
import type { Preview } from "../status.ts";
import type { Pause } from "../store/operation.ts";
import type { HistoryEntry } from "../store/store.ts";
import { qrPicture } from "./banner/qr.ts";
import { type PageAnswer, pageStyle, sendAnswer } from "./page-answer.ts";
import { formFor, type PageForm, type PageKind } from "./page-forms.ts";

export interface PageSubject {
  readonly preview?: Preview;
  /** Newest first. */
  readonly steps?: readonly HistoryEntry[];
  /** Set while everything is stopped. */
  readonly pause?: Pause;
}

export interface PageRequest {
  readonly kind: PageKind;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly homeUrl: string;
  /** Where people may go in the meantime, such as a shared staging. */
  readonly fallbackUrl?: string;
  readonly subject: PageSubject;
}

const STYLE = pageStyle(["../dashboard/assets/base.css", "./assets/page.css"]);

/**
 * Answers with the page in the form the client asked for: HTML, JSON or one line of text. Does
 * nothing when an answer has begun or the client is gone.
 */
export function sendPage({ kind, request, response, homeUrl, fallbackUrl, subject }: PageRequest): void {
  if (response.headersSent || response.destroyed) return;
  const form = formFor(kind, subject.preview);
  const { type, body } = bodyFor(request, {
    kind,
    form,
    homeUrl,
    url: `${new URL(homeUrl).protocol}//${request.headers.host}`,
    subject,
    // While all is stopped, waiting helps nobody, whatever this one is held up by.
    ...((form.offers || subject.pause) && fallbackUrl ? { fallbackUrl } : {}),
  });
  sendAnswer(request, response, { status: form.status, type, body, policy: STYLE.policy, retryAfter: form.retryAfter });
}

interface Content {
  readonly kind: PageKind;
  readonly form: PageForm;
  readonly homeUrl: string;
  /** The preview's own. */
  readonly url: string;
  readonly fallbackUrl?: string;
  readonly subject: PageSubject;
}

function bodyFor({ headers }: IncomingMessage, content: Content): Pick<PageAnswer, "type" | "body"> {
  const accept = headers.accept ?? "";
  if (accept.includes("text/html")) return { type: "text/html", body: pageOf(content).markup };
  const { form, subject, fallbackUrl } = content;
  const message = fallbackUrl ? `${textOf(content)} Meanwhile: ${fallbackUrl}` : textOf(content);
  if (!accept.includes("json")) return { type: "text/plain", body: `${form.title}. ${message}\n` };
  const { preview } = subject;
  const reason = preview && content.kind !== "unreachable" ? preview.status.reason : REASONS_OF_OURS[content.kind];
  const body = {
    error: { reason: reason ?? "NotReady", message },
    key: preview?.key,
    retryAfter: form.retryAfter,
    fallbackUrl,
  };
  return { type: "application/json", body: `${JSON.stringify(body)}\n` };
}

const REASONS_OF_OURS: Partial<Record<PageKind, string>> = {
  unreachable: "Unreachable",
  unknown: "NoSuchPreview",
  gone: "Gone",
};

function textOf(content: Content): string {
  const said = saidOf(content);
  return said ? `${said} ${content.form.text}` : content.form.text;
}

/** The preview's own message where it explains the page; so does a failure or a queue that keeps it from waking. */
function saidOf({ kind, form, subject: { preview } }: Content): string | undefined {
  const { condition } = preview?.status ?? {};
  const keptAsleep = kind === "waking" && condition === "Stalled";
  const said = form.says || keptAsleep ? preview?.status.message : undefined;
  return said === `${form.title}.` ? undefined : said;
}

function pageOf(content: Content): Html {
  const { form, homeUrl, fallbackUrl, subject } = content;
  const { preview, steps = [], pause } = subject;
  const said = saidOf(content);
  const excerpt = form.mark === "bad" ? (preview?.status.excerpt ?? []) : [];
  const head = html`${form.retryAfter && html`<meta http-equiv="refresh" content="${form.retryAfter}">\n`}${STYLE.element}`;
  const body = html`<body>
<main>
${pause && pauseLine(pause, content.kind)}
${preview && nameOf(preview)}
<h1><span class="mark ${form.mark}" aria-hidden="true"></span>${form.title}</h1>
<div role="status">
${said && html`<p class="message">${sentenceOf(said)}</p>`}
<p class="soft">${sentenceOf(form.text)}</p>
</div>
${preview && rebuildLink(homeUrl, preview)}
${fallbackUrl && html`<p>Meanwhile: <a href="${safeHref(fallbackUrl)}">${fallbackUrl}</a></p>`}
${excerpt.length > 0 && html`<pre class="output" tabindex="0" aria-label="Last lines of output">${excerpt.join("\n")}</pre>`}
${steps.length > 0 && html`<ol aria-label="Steps so far">${[...steps].reverse().map(stepOf)}</ol>`}
${linksOf(homeUrl, preview)}
${COMES.has(content.kind) && phoneLine(content.url)}
</main>
</body>`;
  return documentOf({ title: preview ? `${form.title} · ${preview.key}` : form.title, head, body });
}

/** Waiting is as good on a phone. */
const COMES: ReadonlySet<PageKind> = new Set(["building", "waking", "starting", "asleep"]);

function phoneLine(url: string): Html {
  const picture = qrPicture(url);
  return picture.markup === ""
    ? picture
    : html`<p class="phone">${picture}<span class="soft">Or open it on a phone.</span></p>`;
}

/** Who stopped them is for those who are logged in. */
function pauseLine({ at }: Pause, kind: PageKind): Html {
  const since = html`since <time datetime="${at}">${minuteOf(at)}</time>`;
  if (kind === "paused") return html`<p class="notice">Stopped ${since}.</p>`;
  return html`<p class="notice"><b>All previews are stopped</b> ${since}. Nothing new is brought up until they go on.</p>`;
}

/** Nobody is logged in on a preview's own host, so the button is on ours. */
function rebuildLink(homeUrl: string, preview: Preview): Html {
  if (!isRebuildable(preview)) return html``;
  return html`<p><a class="button" href="${safeHref(pageUrl(homeUrl, preview.key))}">Rebuild it</a></p>`;
}

function nameOf(preview: Preview): Html {
  const title = preview.pullRequest?.title;
  const commit = preview.pullRequest?.headSha.slice(0, 7);
  return html`<p class="name"><b>${preview.key}</b>${title && html` · ${title}`}${commit && html` · ${commit}`}</p>`;
}

function stepOf({ at, message }: HistoryEntry): Html {
  return html`<li><time datetime="${at}">${at.slice(11, 19)}</time><span>${sentenceOf(message)}</span></li>`;
}

function linksOf(homeUrl: string, preview: Preview | undefined): Html {
  const pullRequest = preview?.pullRequest?.url;
  const home = preview ? pageUrl(homeUrl, preview.key) : homeUrl;
  return html`<footer>
<a href="${safeHref(home)}">${preview ? (preview.status.goneAt ? "Its history" : "Status and logs") : "All previews"}</a>
${pullRequest && html`<a href="${safeHref(pullRequest)}">Pull request</a>`}
</footer>`;
}
