/** The inbox as a page: what was caught, newest first, and one of it. Works without its script, which only keeps it fresh. */
import type { Entry } from "./entries.ts";
import { type Html, html } from "./html.ts";
import type { Mail } from "./mail.ts";

export interface PageInput {
  /** As the application's preview.yaml names it. */
  readonly name: string;
  readonly what: "mails" | "messages" | "webhooks";
  readonly entries: readonly Entry[];
  readonly chosen?: Chosen;
  /** Some entry was asked for that is not there any more. */
  readonly missing: boolean;
}

export interface Chosen {
  readonly entry: Entry;
  readonly mail?: Mail;
  /** Body of a webhook or text message. */
  readonly body?: string;
}

const EMPTY: Readonly<Record<PageInput["what"], string>> = {
  mails: "Mails that this preview sends are kept here and go nowhere.",
  messages: "Text messages that this preview sends are kept here and go nowhere.",
  webhooks: "Requests that this preview sends to others are kept here and go nowhere.",
};

export function inboxPage({ name, what, entries, chosen, missing }: PageInput): string {
  const count = `${entries.length} ${entries.length === 1 ? what.slice(0, -1) : what}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${chosen ? titleOf(chosen.entry) : `Inbox “${name}”`}</title>
<link rel="stylesheet" href="/inbox/inbox.css">
<script src="/inbox/inbox.js" defer></script>
</head>
<body${chosen ? html` class="reading"` : ""}>
<header>
<h1><a href="/inbox">Inbox <b>${name}</b></a></h1>
<p class="soft" id="count" aria-live="polite">${count}</p>
<form method="post" action="/inbox/clear"><button${entries.length === 0 ? html` disabled` : ""}>Delete all</button></form>
</header>
<main>
<nav id="list" aria-label="${what}" data-newest="${entries[0]?.id ?? ""}">
${entries.length === 0 && html`<p class="soft empty">${EMPTY[what]}</p>`}
<ol>${entries.map((entry) => row(entry, entry.id === chosen?.entry.id))}</ol>
</nav>
<section aria-label="Chosen">${section(chosen, { missing, isEmpty: entries.length === 0 })}</section>
</main>
</body>
</html>
`.html;
}

function row(entry: Entry, isChosen: boolean): Html {
  return html`<li><a href="/inbox?show=${entry.id}"${isChosen ? html` aria-current="true"` : ""}>
<span class="who">${entry.kind === "webhook" ? entry.from || "a program" : `to ${entry.to.join(", ")}`}</span>
${timeOf(entry)}
<span class="subject">${titleOf(entry)}</span>
</a></li>`;
}

function section(
  chosen: Chosen | undefined,
  { missing, isEmpty }: { readonly missing: boolean; readonly isEmpty: boolean },
): Html {
  if (chosen) return article(chosen);
  if (missing) return html`<p class="soft empty">It is not here any more: deleted, or the oldest of too many.</p>`;
  return html`<p class="soft empty">${isEmpty ? "" : "Choose one from the list."}</p>`;
}

function article({ entry, mail, body }: Chosen): Html {
  const at = `/inbox/messages/${entry.id}`;
  return html`<article>
<p class="back"><a href="/inbox">← All</a></p>
<h2>${titleOf(entry)}</h2>
<dl>
${entry.from !== "" && html`<dt>From</dt><dd>${entry.from}</dd>`}
${entry.kind === "webhook" ? "" : html`<dt>To</dt><dd>${entry.to.join(", ")}</dd>`}
${mail && mail.cc.length > 0 && html`<dt>Cc</dt><dd>${mail.cc.join(", ")}</dd>`}
<dt>At</dt><dd>${timeOf(entry)} <span class="soft">(${entry.at})</span></dd>
${entry.kind === "mail" && entry.attachments.length > 0 && html`<dt>Attached</dt><dd class="attached">${entry.attachments.map(({ name, type, size }, index) => html`<a href="${at}/attachments/${index}" download>${name}</a> <span class="soft">${type}, ${sizeOf(size)}</span> `)}</dd>`}
</dl>
${mail && contents(mail, at)}
${entry.kind === "webhook" && html`<h3>Headers</h3>${table(entry.headers)}<h3>Body${entry.cut && ", its beginning"}</h3>`}
${body !== undefined && html`<pre class="output">${linked(body)}</pre>`}
<p class="more"><a href="${at}/raw" download>As it came in (${sizeOf(entry.size)})</a> · <a href="${at}">JSON</a></p>
</article>`;
}

function contents({ html: rich, text, headers }: Mail, at: string): Html {
  const plain = html`<pre class="output">${linked(text ?? "")}</pre>`;
  return html`${
    rich === undefined
      ? plain
      : html`<iframe title="The mail as its reader sees it; pictures from elsewhere are not loaded" src="${at}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
${text !== undefined && text.trim() !== "" && html`<details><summary>Text</summary>${plain}</details>`}`
  }
<details><summary>Headers</summary>${table(headers)}</details>`;
}

function table(rows: readonly (readonly [string, string])[]): Html {
  return html`<table>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</table>`;
}

/** Addresses in a text as links, which open beside this page. */
function linked(text: string): readonly Html[] {
  return text
    .split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/)
    .map((part, index) =>
      index % 2 === 1 ? html`<a href="${part}" target="_blank" rel="noopener noreferrer">${part}</a>` : html`${part}`,
    );
}

function titleOf({ subject }: Entry): string {
  return subject.trim() === "" ? "(no subject)" : subject;
}

function timeOf({ at }: Entry): Html {
  return html`<time datetime="${at}">${at.slice(0, 10)} ${at.slice(11, 16)} UTC</time>`;
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
