/** Where a visitor chooses, or confirms, as whom of the seeds the application is to see them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { documentOf, type Html, html, sentenceOf } from "../../html.ts";
import { pageStyle, sendAnswer } from "../page-answer.ts";
import { LOGIN_PATH, LOGOUT_PATH } from "./own-paths.ts";

export interface LoginPage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly key: string;
  /** To choose from; none: nobody can be. */
  readonly users: readonly { readonly name: string; readonly title: string }[];
  readonly notice?: keyof typeof NOTICES;
}

const STYLE = pageStyle(["../dashboard/assets/base.css", "./assets/page.css", "./assets/door.css"], { forms: true });
const TITLE = "Log in to this preview";

const NOTICES = {
  none: { status: 404, text: "This preview offers no users: its `preview.yaml` names none under `login`." },
  unknown: { status: 404, text: "Its seeds have no such user. These are there:" },
  foreign: { status: 403, text: "Another site's page asked for this. Choose here:" },
  stale: {
    status: 409,
    text: "Stackling has another key than when this preview was built. A redeploy of the preview gives it the new one.",
  },
} as const;
const ASKED = { status: 200, text: "These users are made by its seeds. Nobody else's account is touched." } as const;

/** Answers as HTML, or as JSON for anybody else. */
export function sendLoginPage({ request, response, key, users, notice }: LoginPage): void {
  const { status, text } = notice === undefined ? ASKED : NOTICES[notice];
  const wantsPage = request.headers.accept?.includes("text/html") ?? false;
  const body = wantsPage
    ? documentFor({ key, users, text }).markup
    : `${JSON.stringify({ key, users, ...(notice === undefined ? {} : { error: { message: text } }) })}\n`;
  const type = wantsPage ? "text/html" : "application/json";
  sendAnswer(request, response, { status, type, body, policy: STYLE.policy, referrer: "same-origin" });
}

/** Asks whether the visitor wants to leave, where that cannot be told from the request. */
export function sendLogoutPage({ request, response, key }: Pick<LoginPage, "request" | "response" | "key">): void {
  const body = html`<body>
<main>
<p class="name"><b>${key}</b></p>
<h1><span class="mark" aria-hidden="true"></span>Log out of this preview</h1>
<p class="soft">Its door asks again then. The application behind it has logins of its own.</p>
<form method="post" action="${LOGOUT_PATH}"><button class="button">Log out</button></form>
</main>
</body>`;
  const { markup } = documentOf({ title: `Log out · ${key}`, head: STYLE.element, body });
  sendAnswer(request, response, {
    status: 200,
    type: "text/html",
    body: markup,
    policy: STYLE.policy,
    referrer: "same-origin",
  });
}

function documentFor({ key, users, text }: Pick<LoginPage, "key" | "users"> & { readonly text: string }): Html {
  const body = html`<body>
<main>
<p class="name"><b>${key}</b></p>
<h1><span class="mark" aria-hidden="true"></span>${TITLE}</h1>
<p class="soft">${sentenceOf(text)}</p>
${users.length > 0 && html`<form method="post" action="${LOGIN_PATH}" class="users">${users.map(buttonOf)}</form>`}
<p><a href="/">To the preview</a></p>
</main>
</body>`;
  return documentOf({ title: `${TITLE} · ${key}`, head: STYLE.element, body });
}

function buttonOf({ name, title }: LoginPage["users"][number]): Html {
  return html`<button class="button" name="as" value="${name}">Log in as ${title}${title !== name && html` <small>${name}</small>`}</button>`;
}
