/** Budgets on the page of costs: how far each is used, what it holds back, and the button that lifts it. */
import type { BudgetView } from "../api/routes/budgets.ts";
import { type Html, html } from "../html.ts";
import { moneyWords } from "../money/amount.ts";
import { percentOf } from "../money/budgets/words.ts";
import { smallMoneyWords } from "../money/words.ts";
import { minuteOf } from "../reason-words.ts";
import { EVERYTHING, may } from "../roles.ts";
import type { Session } from "../session.ts";
import { postForm, submitButton } from "./forms.ts";

/** More would bury the rest of the page; the command line and the API have all. */
const SHOWN = 30;

export const LIFT_QUESTION = "Lift this budget for 48 hours, or until it begins anew? It holds nothing back meanwhile.";

export function budgetsCard(budgets: readonly BudgetView[], session: Session): Html {
  if (budgets.length === 0)
    return html`<section class="card" id="budgets"><h2>Budgets</h2><p class="soft">There are none. <code>budgets</code> in stackling.yaml sets what previews may cost, and what comes of it when they cost more.</p></section>`;
  const rest = budgets.length - SHOWN;
  return html`<section class="card" id="budgets"><h2>Budgets</h2><ul class="budgets">${budgets.slice(0, SHOWN).map((one) => budgetItem(one, session))}</ul>${
    rest > 0 && html`<p class="soft">and ${rest} more: <code>stackling budget ls</code></p>`
  }</section>`;
}

function budgetItem(one: BudgetView, session: Session): Html {
  const { name, of, subject, amount, currency, used, forecast, held, lift, thresholds, says } = one;
  const words = (value: number) => (amount >= 0.5 ? moneyWords : smallMoneyWords)(value, currency);
  const label = subject === "" ? name : `${name} · ${subject}`;
  const percent = percentOf(one);
  const marks = Object.entries(thresholds).map(([action, at]) => `${action} at ${at} %`);
  const tone = held === "within" ? "good" : held === "warned" ? "busy" : "bad";
  return html`<li><div class="head"><h3>${label}</h3><span class="chip ${tone}"><span class="dot" aria-hidden="true"></span>${held}</span></div>
<p><b>${words(used)}</b> of ${words(amount)} ${of === "preview" ? "in its life" : "this month"}, ${percent} %${
    forecast !== undefined && html`; <span class="soft">at this pace ${words(forecast)} by the end of the month</span>`
  }</p>
<svg class="bar ${tone}" viewBox="0 0 100 2" preserveAspectRatio="none" role="img" aria-label="${label}: ${percent} % used"><rect class="track" width="100" height="2"/><rect width="${Math.min(100, Math.max(0, percent))}" height="2"/></svg>
<p class="soft">${marks.join(", ")}</p>
${says.length > 0 && html`<p>${says.map(sentence)}</p>`}
${lift && html`<p>Lifted until ${minuteOf(lift.until)} by ${lift.by}.</p>`}
${may(session, "administer", EVERYTHING) && liftForm(one, session)}</li>`;
}

/** Only where there is something to lift, or to take back. */
function liftForm({ name, subject, held, lift }: BudgetView, session: Session): Html {
  if (lift) {
    const whose = lift.subject === subject ? "" : " for all that have it";
    const body = submitButton({ name: "action", value: "unlift", text: `Let it hold again${whose}` });
    const fields = { name, subject: lift.subject };
    return postForm({ to: "/costs/budgets", session, label: `Let ${name} hold again${whose}`, fields, body });
  }
  const fields = { name, subject };
  if (held === "within" || held === "warned") return html``;
  const label = `Lift for 48 hours: ${subject === "" ? name : `${name} of ${subject}`}`;
  const button = { name: "action", value: "lift", text: "Lift for 48 hours", label, question: LIFT_QUESTION } as const;
  return postForm({ to: "/costs/budgets", session, label, fields, body: submitButton(button) });
}

/** Commands stand as code. */
function sentence(said: string): Html {
  const parts = said.split("`");
  return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))} `;
}
