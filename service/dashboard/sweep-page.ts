/** What a sweep found, with what it removed or may remove. */
import { type Html, html, sentenceOf } from "../html.ts";
import { EVERYTHING, may } from "../roles.ts";
import type { Session } from "../session.ts";
import type { Stray, SweepReport } from "../sweep/report.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Frame, layout } from "./layout.ts";
import { ago } from "./times.ts";

export interface SweepPage {
  /** The last one, or the one that was just asked for; undefined before the first. */
  readonly report: SweepReport | undefined;
  readonly session: Session;
  readonly frame: Frame;
}

export function sweepPage({ report, session, frame }: SweepPage): Html {
  const live = html`<div class="head"><h1>Sweep</h1><p class="soft">${reportInShort(report, frame.now)}</p></div>
<p class="soft">Looks for stacks, databases, processes, files and cloud resources that bear our tags and belong to no preview. Looking removes nothing.</p>
<div class="actions">${sweepForm(session)}${report && removeForm(report, session)}</div>
${report && reportSection(report, session)}`;
  return layout({ title: report ? `${countsOf(report)} · Sweep` : "Sweep", frame, liveUrl: "", live });
}

/** Names what would be removed. */
export function sweepForm(session: Session): Html {
  const body = submitButton({ name: "action", value: "look", text: "Look for strays" });
  return postForm({ to: "/sweep", session, label: "Sweep, removing nothing", body, leaves: true });
}

/** When and with what result, in a sentence. */
export function reportInShort(report: SweepReport | undefined, now: Date): Html {
  if (!report) return html`Nothing was swept yet.`;
  const when = report.dryRun ? "Looked" : "Last sweep";
  return html`${when} ${ago(report.at, now)}: ${countsOf(report)}.`;
}

export const SWEEP_QUESTIONS = {
  remove: () => "Remove what surely belongs to nothing? It cannot be brought back.",
  confirm: (name: string) =>
    `Remove ${name}? Nothing proves that it may go: you say so. What surely belongs to nothing goes with it.`,
} as const;

function countsOf({ found, removed, failed, unread, dryRun }: SweepReport): string {
  const parts = [`${found.length} found`, dryRun ? "nothing removed" : `${removed.length} removed`];
  if (failed.length > 0) parts.push(`${failed.length} failed`);
  if (unread.length > 0) parts.push(`${unread.length} could not be read`);
  return parts.join(", ");
}

function removeForm({ found, removed }: SweepReport, session: Session): Html {
  const sure = found.filter(({ stack, needsConfirmation }) => !needsConfirmation && !removed.includes(stack)).length;
  if (sure === 0) return html``;
  const text = `Remove what is sure (${sure})`;
  const button = submitButton({
    name: "action",
    value: "remove",
    text,
    question: SWEEP_QUESTIONS.remove(),
    tone: "danger",
  });
  return postForm({ to: "/sweep", session, label: text, body: button, leaves: true });
}

function reportSection(report: SweepReport, session: Session): Html {
  const { found, unread } = report;
  return html`${unread.map((words) => html`<div class="banner warning"><p><b>Not swept:</b> ${words}</p></div>`)}
${
  found.length === 0
    ? html`<div class="card empty"><h2>Nothing stray</h2><p class="soft">All that is there belongs to a preview.</p></div>`
    : html`<ul class="cards strays">${found.map((stray) => strayCard(stray, report, session))}</ul>`
}`;
}

function strayCard(stray: Stray, report: SweepReport, session: Session): Html {
  const name = stray.key ?? stray.stack;
  const outcome = outcomeOf(stray, report);
  return html`<li class="card"><div class="row"><h2>${name}</h2><span class="chip ${outcome.tone}">${outcome.text}</span></div>
<p>${sentenceOf(`${stray.why}.`)}</p>
${outcome.fault && html`<p class="bad-text">${outcome.fault}</p>`}
<ul class="things soft">${stray.hasStack && html`<li>stack <code>${stray.stack}</code></li>`}${stray.things.map(
    ({ kind, id }) => html`<li>${kind} <code>${id}</code></li>`,
  )}</ul>
${outcome.asks && (may(session, "administer", EVERYTHING) ? confirmForm(stray, session) : html`<p class="soft">An admin can remove it.</p>`)}</li>`;
}

interface StrayOutcome {
  readonly text: string;
  readonly tone: "good" | "busy" | "bad" | "still";
  readonly fault?: string;
  /** Only a person may let it go. */
  readonly asks?: boolean;
}

function outcomeOf({ stack, needsConfirmation }: Stray, { removed, failed, dryRun }: SweepReport): StrayOutcome {
  const fault = failed.find((one) => one.stack === stack)?.message;
  if (removed.includes(stack)) return { text: "Removed", tone: "good" };
  if (fault !== undefined) return { text: "Not removed", tone: "bad", fault, asks: needsConfirmation };
  if (needsConfirmation) return { text: "Needs your word", tone: "busy", asks: true };
  return { text: dryRun ? "Would be removed" : "Is removed next", tone: "still" };
}

function confirmForm({ key, stack }: Stray, session: Session): Html {
  const name = key ?? stack;
  const button = submitButton({
    name: "action",
    value: "confirm",
    text: "Remove",
    label: `Remove ${name}`,
    question: SWEEP_QUESTIONS.confirm(name),
    tone: "danger",
  });
  return postForm({
    to: "/sweep",
    session,
    label: `Remove ${name}`,
    fields: { stack },
    body: button,
    leaves: true,
  });
}
