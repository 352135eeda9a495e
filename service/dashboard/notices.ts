/** Pages of a few words: what is not there, what was refused, and what is asked before it is done. */
import { type Html, html, sentenceOf } from "../html.ts";
import type { Session } from "../session.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Frame, layout } from "./layout.ts";
import { CONFIRMED } from "./posted.ts";

export function missingPage(frame: Frame): Html {
  return notice("No such preview", "It may have been removed after its pull request was closed.", frame);
}

export function nowherePage(frame: Frame): Html {
  return notice("There is nothing at this address", "It may be mistyped, or what was here is gone.", frame);
}

export function expiredPage(frame: Frame): Html {
  return notice(
    "This login link does not work any more",
    "A link works once and for ten minutes. `stackling open` makes a new one.",
    frame,
  );
}

export function refusedPage(frame: Frame): Html {
  const text = "The session has ended or the page is old. Reload it, and try again.";
  return notice("That was refused", text, { ...frame, outcome: { text: `That was refused. ${text}`, failed: true } });
}

export function forbiddenPage(frame: Frame): Html {
  const { role, name } = frame.session ?? { role: "nobody", name: "nobody" };
  const text = `You are ${name} here, with the role ${role}, and that is for others. Ask whoever runs Stackling (dashboard.roles).`;
  return notice("You may not do that", text, {
    ...frame,
    outcome: { text: `You may not do that. ${text}`, failed: true },
  });
}

export function failedPage(message: string, frame: Frame): Html {
  return notice("That could not be done", message, { ...frame, outcome: { text: message, failed: true } });
}

export interface Asked {
  readonly question: string;
  /** Text of the button that says yes. */
  readonly text: string;
  readonly to: string;
  readonly session: Session;
  /** As they were posted. */
  readonly fields: Readonly<Record<string, string>>;
  readonly backTo: string;
  readonly frame: Frame;
}

/** For browsers without our script, which asks in a dialog. */
export function questionPage({ question, text, to, session, fields, backTo, frame }: Asked): Html {
  const button = submitButton({ name: CONFIRMED, value: "yes", text, tone: "danger" });
  const live = html`<div class="card"><h1>Are you sure?</h1><p>${question}</p>
<div class="actions">${postForm({ to, session, label: text, fields, body: button, leaves: true })}<a class="button" href="${backTo}">Cancel</a></div></div>`;
  return layout({ title: "Are you sure?", frame, liveUrl: "", live });
}

function notice(title: string, text: string, frame: Frame): Html {
  const live = html`<div class="card empty"><h1>${title}</h1><p class="soft">${sentenceOf(text)}</p><p><a href="/">All previews</a></p></div>`;
  return layout({ title, frame, liveUrl: "", live });
}
