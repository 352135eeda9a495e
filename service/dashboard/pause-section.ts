/** The kill switch on the pages: the banner while it is on, the button while it is not. */
import { askerWords } from "../asker.ts";
import { type Html, html, safeHref } from "../html.ts";
import { budgetOf } from "../money/budgets/words.ts";
import { minuteOf } from "../reason-words.ts";
import { EVERYTHING, may } from "../roles.ts";
import type { Session } from "../session.ts";
import type { Pause } from "../store/operation.ts";
import { postForm, submitButton } from "./forms.ts";
import { ago } from "./times.ts";

const STOP_QUESTION =
  "Stop everything? Nothing new is brought up and every preview goes to sleep, until it is let go on. Data and links are kept.";
const RESUME_QUESTION = "Let everything go on? What waits is brought up, and what was in use wakes.";

/** What `stop-all` and `resume-all` say on the pages. */
export const SWITCHES = {
  "stop-all": { text: "Stop all previews", done: "Everything is stopped." },
  "resume-all": { text: "Resume all", done: "Everything goes on." },
} as const;
export type SwitchName = keyof typeof SWITCHES;

/** To let go on what a budget stopped is to spend more than it allows. */
export function switchQuestion(name: SwitchName, pause?: Pick<Pause, "by">): string {
  if (name === "stop-all") return STOP_QUESTION;
  const budget = pause && budgetOf(pause.by);
  if (budget === undefined) return RESUME_QUESTION;
  return `${RESUME_QUESTION} The budget "${budget}" stopped it: this lifts it until the month ends, and more is spent than it allows.`;
}

export function findSwitch(name: string | undefined): SwitchName | undefined {
  return name === "stop-all" || name === "resume-all" ? name : undefined;
}

export interface PauseBanner {
  readonly pause: Pause;
  readonly session?: Session;
  readonly fallbackUrl?: string;
  readonly now: Date;
}

/** Strangers read since when, and only who is logged in by whom. */
export function pauseBanner({ pause, session, fallbackUrl, now }: PauseBanner): Html {
  return html`<section class="banner" aria-label="Everything is stopped"><div><p><b>Everything is stopped</b> since ${minuteOf(pause.at)} (${ago(pause.at, now)})${session && html`, ${askerWords(pause.by)}`}.
Nothing new is brought up and every preview sleeps. Data and links are kept.</p>
${fallbackUrl && html`<p>Meanwhile: <a href="${safeHref(fallbackUrl)}">${fallbackUrl}</a></p>`}</div>
${session && may(session, "administer", EVERYTHING) && switchForm("resume-all", session, pause)}</section>`;
}

/** @param pause that is to end: another one that holds by then stays */
export function switchForm(name: SwitchName, session: Session, pause?: Pause): Html {
  const { text } = SWITCHES[name];
  const question = switchQuestion(name, pause);
  const tone = name === "stop-all" ? "danger" : undefined;
  const button = submitButton({ name: "action", value: name, text, question, tone });
  const fields: Readonly<Record<string, string>> = pause ? { at: pause.at, by: pause.by } : {};
  return postForm({ to: "/pause", session, label: text, fields, body: button });
}
