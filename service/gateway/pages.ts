/** What a visitor sees when there is no application to show: a page, a line of text or JSON, never a bare 502. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { documentOf, type Html, html, safeHref, styleElement } from "../dashboard/html.ts";
import type { Preview } from "../status.ts";
import type { HistoryEntry } from "../store/store.ts";
import type { Door } from "./door.ts";

export type PageKind = Exclude<Door, "serve"> | "starting" | "unreachable" | "unknown";

export interface PageSubject {
  readonly preview?: Preview;
  /** Newest first. */
  readonly steps?: readonly HistoryEntry[];
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

interface PageForm {
  readonly status: 404 | 502 | 503;
  readonly title: string;
  readonly text: string;
  readonly mark: "busy" | "bad" | "still";
  /** Seconds until asking again is worth it; the page reloads itself. */
  readonly retryAfter?: number;
  /** The status says more than our own text. */
  readonly says?: boolean;
  /** Waiting helps nobody: the fallback is offered. */
  readonly offers?: boolean;
}

const FORMS: Readonly<Record<PageKind, PageForm>> = {
  building: {
    status: 503,
    title: "Building this preview",
    text: "The page opens by itself as soon as the application answers.",
    mark: "busy",
    retryAfter: 2,
    says: true,
  },
  waking: {
    status: 503,
    title: "Waking up",
    text: "This preview was asleep. It is back in a moment, with its data as it was.",
    mark: "busy",
    retryAfter: 2,
  },
  starting: {
    status: 503,
    title: "Starting",
    text: "The application is being started. The page opens by itself as soon as it answers.",
    mark: "busy",
    retryAfter: 2,
  },
  asleep: {
    status: 503,
    title: "Asleep",
    text: "This preview sleeps until a person visits it. Its data and its link are kept.",
    mark: "still",
    retryAfter: 30,
  },
  failed: {
    status: 503,
    title: "This preview could not be built",
    text: "The link opens as soon as a version of it starts.",
    mark: "bad",
    says: true,
  },
  blocked: {
    status: 503,
    title: "This preview is held back",
    text: "The page opens by itself once it is allowed and built.",
    mark: "still",
    retryAfter: 15,
    says: true,
    offers: true,
  },
  paused: {
    status: 503,
    title: "Previews are stopped",
    text: "Whoever runs them has stopped all of them for now. Data and links are kept; the page opens by itself when they go on.",
    mark: "still",
    retryAfter: 60,
    offers: true,
  },
  unreachable: {
    status: 502,
    title: "The application does not answer",
    text: "It may have stopped or be restarting. The page tries again by itself.",
    mark: "bad",
    retryAfter: 5,
  },
  closing: {
    status: 404,
    title: "This preview is being removed",
    text: "Its pull request was closed, or it was taken down.",
    mark: "still",
    offers: true,
  },
  gone: {
    status: 404,
    title: "This preview is gone",
    text: "Its pull request was closed, or it was taken down. Reopening the pull request brings it back.",
    mark: "still",
    offers: true,
  },
  unknown: {
    status: 404,
    title: "No preview here",
    text: "No preview has this address. It may have been removed after its pull request was closed.",
    mark: "still",
    offers: true,
  },
};

const STYLE = ["../dashboard/assets/base.css", "./assets/page.css"]
  .map((file) => readFileSync(new URL(file, import.meta.url), "utf8"))
  .join("\n");
const STYLE_ELEMENT = styleElement(STYLE);
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Answers with the page in the form the client asked for: HTML, JSON or one line of text. Does
 * nothing when an answer has begun or the client is gone.
 */
export function sendPage({ kind, request, response, homeUrl, fallbackUrl, subject }: PageRequest): void {
  if (response.headersSent || response.destroyed) return;
  const form = formFor(kind, subject);
  const { type, body } = bodyFor(request, {
    kind,
    form,
    homeUrl,
    subject,
    ...(form.offers && fallbackUrl ? { fallbackUrl } : {}),
  });
  response.statusCode = form.status;
  response.setHeader("Content-Type", `${type}; charset=utf-8`);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Robots-Tag", "noindex, nofollow");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("Content-Security-Policy", POLICY);
  response.setHeader("Vary", "Accept");
  if (form.retryAfter) response.setHeader("Retry-After", form.retryAfter);
  // What is left of a body is not waited for.
  if (!request.complete) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" ? undefined : body);
}

/** One that expired or was taken down comes back otherwise than a closed one: its own message says how. */
function formFor(kind: PageKind, { preview }: PageSubject): PageForm {
  const { goneReason, message } = preview?.status ?? {};
  const own = kind === "gone" && (goneReason === "Expired" || goneReason === "Removed");
  return own && message ? { ...FORMS[kind], text: message } : FORMS[kind];
}

interface Content {
  readonly kind: PageKind;
  readonly form: PageForm;
  readonly homeUrl: string;
  readonly fallbackUrl?: string;
  readonly subject: PageSubject;
}

function bodyFor({ headers }: IncomingMessage, content: Content): { readonly type: string; readonly body: string } {
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
  const { condition, reason } = preview?.status ?? {};
  const keptAsleep = kind === "waking" && (condition === "Stalled" || reason === "Queued");
  return form.says || keptAsleep ? preview?.status.message : undefined;
}

function pageOf(content: Content): Html {
  const { form, homeUrl, fallbackUrl, subject } = content;
  const { preview, steps = [] } = subject;
  const said = saidOf(content);
  const excerpt = form.mark === "bad" ? (preview?.status.excerpt ?? []) : [];
  const head = html`${form.retryAfter && html`<meta http-equiv="refresh" content="${form.retryAfter}">\n`}${STYLE_ELEMENT}`;
  const body = html`<body>
<main>
${preview && nameOf(preview)}
<h1><span class="mark ${form.mark}" aria-hidden="true"></span>${form.title}</h1>
<div role="status">
${said && html`<p class="message">${said}</p>`}
<p class="soft">${form.text}</p>
</div>
${fallbackUrl && html`<p>Meanwhile: <a href="${safeHref(fallbackUrl)}">${fallbackUrl}</a></p>`}
${excerpt.length > 0 && html`<pre class="output" tabindex="0" aria-label="Last lines of output">${excerpt.join("\n")}</pre>`}
${steps.length > 0 && html`<ol aria-label="Steps so far">${[...steps].reverse().map(stepOf)}</ol>`}
${linksOf(homeUrl, preview)}
</main>
</body>`;
  return documentOf({ title: preview ? `${form.title} · ${preview.key}` : form.title, head, body });
}

function nameOf(preview: Preview): Html {
  const title = preview.pullRequest?.title;
  const commit = preview.pullRequest?.headSha.slice(0, 7);
  return html`<p class="name"><b>${preview.key}</b>${title && html` · ${title}`}${commit && html` · ${commit}`}</p>`;
}

function stepOf({ at, message }: HistoryEntry): Html {
  return html`<li><time datetime="${at}">${at.slice(11, 19)}</time><span>${message}</span></li>`;
}

function linksOf(homeUrl: string, preview: Preview | undefined): Html {
  const pullRequest = preview?.pullRequest?.url;
  const home = preview ? `${homeUrl}/previews/${encodeURIComponent(preview.key)}` : homeUrl;
  return html`<footer>
<a href="${safeHref(home)}">${preview ? "Status and logs" : "All previews"}</a>
${pullRequest && html`<a href="${safeHref(pullRequest)}">Pull request</a>`}
</footer>`;
}
