/** What is shown to whom a preview's door is shut. It tells nothing of the preview but its key, which its host tells already. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { documentOf, type Html, html, sentenceOf } from "../../html.ts";
import { pageStyle, sendAnswer } from "../page-answer.ts";
import type { NamedDoor } from "./guard.ts";
import { BYPASS_HEADER, DOOR_PATH, LOGIN_PATH } from "./own-paths.ts";

export interface DoorPage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly key: string;
  readonly isUndecided: boolean;
  /** What may be tried; none: it stays shut to this visitor. */
  readonly doors: readonly NamedDoor[];
  /** Address to go on to afterwards. */
  readonly to: string;
  readonly notice?: DoorNotice;
  readonly retryAfterSeconds?: number;
}

const STYLE = pageStyle(["../dashboard/assets/base.css", "./assets/page.css", "./assets/door.css"], { forms: true });

const NOTICES = {
  wrong: "That is not the password.",
  later: "Too many wrong answers came from your network. Try again later.",
  expired: "This share link does not work any more. Ask for a new one.",
  foreign: "Another site's page asked for this. Open the preview itself.",
  unknown: "That login was not begun here, or too long ago. Begin it again.",
  denied: "The login was not finished. Begin it again, or ask for a share link.",
  stranger: "You are logged in, but this preview is not open to you. Ask for a share link.",
  broken: "Its door cannot be asked now. Whoever runs Stackling finds the reason in the service's log.",
} as const;
export type DoorNotice = keyof typeof NOTICES;

interface Words {
  readonly status: 401 | 403;
  readonly title: string;
  readonly text: string;
}

const LOCKED: Words = {
  status: 401,
  title: "This preview is not public",
  text: "Its team can open it, and can make you a share link.",
};
const SHUT: Words = {
  status: 403,
  title: "This preview is not open to you",
  text: "It opens to certain networks, or by a share link, which people who work on it can make.",
};
const UNDECIDED: Words = {
  status: 403,
  title: "Nobody has said who may see this preview",
  text: "Its address can be guessed, so it stays shut. Whoever runs Stackling writes `access` into stackling.yaml: a password, a login, networks, or `public`. Until then `stackling share` makes links.",
};

/** Answers as HTML, JSON or a line of text, whichever was asked for. */
export function sendDoorPage(page: DoorPage): void {
  const { request, response, notice, retryAfterSeconds } = page;
  const words = page.isUndecided ? UNDECIDED : page.doors.length > 0 ? LOCKED : SHUT;
  const status = notice === "later" ? 429 : notice === "broken" ? 503 : words.status;
  // A 401 has to name a way; this one is for machines to read and lets no browser ask by itself.
  if (status === 401) response.setHeader("WWW-Authenticate", `Stackling header="${BYPASS_HEADER}"`);
  sendAnswer(request, response, {
    status,
    ...bodyFor(page, words),
    policy: STYLE.policy,
    retryAfter: retryAfterSeconds,
    referrer: "same-origin",
  });
}

function bodyFor(
  page: DoorPage,
  words: Words,
): { readonly type: "text/html" | "text/plain" | "application/json"; readonly body: string } {
  const { accept = "" } = page.request.headers;
  if (accept.includes("text/html")) return { type: "text/html", body: documentFor(page, words).markup };
  const notice = page.notice === undefined ? "" : ` ${NOTICES[page.notice]}`;
  const message = `${words.title}.${notice} A program sends its token in the header ${BYPASS_HEADER}.`;
  if (!accept.includes("json")) return { type: "text/plain", body: `${message}\n` };
  const reason = words.status === 401 ? "Locked" : page.isUndecided ? "AccessUndecided" : "Forbidden";
  return { type: "application/json", body: `${JSON.stringify({ error: { reason, message }, key: page.key })}\n` };
}

function documentFor({ key, doors, to, notice }: DoorPage, { title, text }: Words): Html {
  const body = html`<body>
<main>
<p class="name"><b>${key}</b></p>
<h1><span class="mark" aria-hidden="true"></span>${title}</h1>
<p class="soft">${sentenceOf(text)}</p>
${notice && html`<p class="failed" role="alert" id="notice">${NOTICES[notice]}</p>`}
${doors.map((door) => (door.signsIn ? loginOf(door.name, door.signsIn.label, to) : formOf(door.name, to, notice === "wrong")))}
</main>
</body>`;
  return documentOf({ title: `${title} · ${key}`, head: STYLE.element, body });
}

function loginOf(name: NamedDoor["name"], label: string, to: string): Html {
  const query = new URLSearchParams({ door: name, to });
  return html`<p><a class="button" href="${LOGIN_PATH}?${query.toString()}">Sign in with ${label}</a></p>`;
}

function formOf(name: NamedDoor["name"], to: string, isWrong: boolean): Html {
  const described = isWrong ? html` aria-invalid="true" aria-describedby="notice"` : html``;
  return html`<form method="post" action="${DOOR_PATH}">
<input type="hidden" name="door" value="${name}"><input type="hidden" name="to" value="${to}">
<label for="answer">Password</label>
<div class="field"><input id="answer" type="password" name="answer" autocomplete="current-password" maxlength="1024" required autofocus${described}>
<button class="button">Open</button></div>
</form>`;
}
