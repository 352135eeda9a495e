/** What previews cost: by day as a picture, by whom as a table, and how far budgets are used. */
import type { Router } from "express";
import { detailHref } from "../addresses.ts";
import { type BudgetView, viewsFor } from "../api/routes/budgets.ts";
import { plainError } from "../api/streams.ts";
import { type Html, html } from "../html.ts";
import type { Budgets } from "../money/budgets/budgets.ts";
import type { Costs, CostTotal } from "../money/costs.ts";
import { firstOfMonth, MONTH, spanOfMonth } from "../money/month.ts";
import { COST_BY, type CostBy, type CostSum } from "../money/rollup.ts";
import { BASIS_WORDS, spanWords } from "../money/words.ts";
import type { Answering } from "./answering.ts";
import { budgetsCard, LIFT_QUESTION } from "./budget-card.ts";
import { costChart, wordsFor } from "./cost-chart.ts";
import { type Frame, layout } from "./layout.ts";
import { failedPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";

export interface CostPagesDeps extends Answering {
  readonly costs: Pick<Costs, "sums" | "now">;
  readonly budgets: Pick<Budgets, "states" | "lift" | "unlift">;
}

const BY = {
  repository: "Repository",
  author: "Author",
  team: "Team",
  "pull-request": "Pull request",
  preview: "Preview",
  day: "Day",
  month: "Month",
} as const satisfies Readonly<Record<CostBy, string>>;
const ROWS = 100;
const LIFT_SECONDS = 48 * 3600;
const MONTHS = 13;

interface CostsPage {
  readonly by: CostBy;
  /** `2026-11` */
  readonly month: string;
  readonly now: string;
  readonly sums: readonly CostSum[];
  readonly totals: readonly CostTotal[];
  readonly chart?: Html;
  readonly budgets: readonly BudgetView[];
  readonly frame: Frame & { readonly session: NonNullable<Frame["session"]> };
}

export function costPages(pages: Router, deps: CostPagesDeps): void {
  const { costs, budgets, doing, frameOf, actor, send } = deps;

  pages.get("/costs", async (request, response) => {
    const frame = await frameOf(request);
    const { session } = frame;
    if (!session) return response.redirect(303, "/");
    const by = COST_BY.find((one) => one === request.query.by) ?? "repository";
    const [now, month] = [costs.now(), monthOf(request.query.month, costs.now())];
    const days = by === "month" ? { from: firstOfMonth(now, 1 - MONTHS), to: now.slice(0, 10) } : spanOfMonth(month);
    const whose = session.repositories ? { repositories: session.repositories } : {};
    const [{ sums, totals }, daily, states] = await Promise.all([
      costs.sums({ by, ...days, ...whose }),
      costs.sums({ by: "day", ...spanOfMonth(month), ...whose }),
      budgets.states(),
    ]);
    // Drawn for few, and so loaded for them.
    const { chartOf } = await import("./chart.ts");
    const drawn = costChart(daily.sums, spanOfMonth(month), now);
    const outcome = OUTCOMES[String(request.query.done)];
    const shown = { ...frame, session, ...(outcome ? { outcome: { text: outcome } } : {}) };
    const chart = drawn ? { chart: chartOf(drawn) } : {};
    const found = { by, month, now, sums, totals, ...chart, budgets: viewsFor(session, states), frame: shown };
    send(response, 200, costsPage(found));
  });

  pages.post("/costs/budgets", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const [name = "", subject = "", action] = [
      fieldOf(request, "name"),
      fieldOf(request, "subject"),
      fieldOf(request, "action"),
    ];
    if (action !== "lift" && action !== "unlift") return send(response, 400, refusedPage(frame));
    if (action === "lift" && !isConfirmed(request)) {
      const asked = { question: LIFT_QUESTION, text: "Lift it", to: "/costs/budgets", backTo: "/costs#budgets" };
      const fields = { name, subject, action };
      return send(response, 200, questionPage({ ...asked, session, fields, frame }));
    }
    const of = subject === "" ? {} : { subject };
    const detail = subject === "" ? name : `${name} of ${subject}`;
    try {
      await doing.note(request, { action: `budget ${action}`, detail }, async (by) => {
        if (action === "unlift") return budgets.unlift({ name, ...of });
        await budgets.lift({ name, ...of, forSeconds: LIFT_SECONDS, by });
      });
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    response.redirect(303, `/costs?done=${action}#budgets`);
  });
}

const OUTCOMES: Readonly<Record<string, string | undefined>> = {
  lift: "The budget is lifted: it holds nothing back for 48 hours, or until it begins anew.",
  unlift: "The budget holds again.",
};

function costsPage({ by, month, now, sums, totals, chart, budgets, frame }: CostsPage): Html {
  const link = (to: { readonly by?: CostBy; readonly month?: string }) =>
    `/costs?${new URLSearchParams({ by: to.by ?? by, month: to.month ?? month })}`;
  const choices = (Object.keys(BY) as CostBy[]).map(
    (one) =>
      html`<li><a class="tile" href="${link({ by: one })}"${one === by && html` aria-current="true"`}>${BY[one]}</a></li>`,
  );
  const [earlier, later] = [firstOfMonth(`${month}-01`, -1).slice(0, 7), firstOfMonth(`${month}-01`, 1).slice(0, 7)];
  const live = html`<div class="head"><h1>Costs</h1><p class="soft">${spanWords(spanOfMonth(month))}; days and months are UTC</p></div>
<nav aria-label="Month"><ul class="tiles"><li><a class="tile" href="${link({ month: earlier })}">${earlier}</a></li>
<li><a class="tile" href="${link({})}" aria-current="true">${month}</a></li>${
    later <= now.slice(0, 7) && html`<li><a class="tile" href="${link({ month: later })}">${later}</a></li>`
  }</ul></nav>
${totals.map(totalOf)}
${chart && html`<div class="charts single">${chart}</div>`}
${budgetsCard(budgets, frame.session)}
<section class="card"><div class="head"><h2>By ${BY[by].toLowerCase()}</h2><p class="soft">${tellExport(month)}</p></div>
<nav aria-label="Sums by"><ul class="tiles">${choices}</ul></nav>
${sums.length === 0 ? html`<p class="soft">Nothing was counted in this time.</p>` : tableOf(by, sums, totals)}</section>`;
  return layout({ title: "Costs", frame, liveUrl: "", live, wide: true });
}

function totalOf({ currency, cost, basis, forecast }: CostTotal): Html {
  const words = (amount: number) => wordsFor(cost)(amount, currency);
  return html`<p class="total"><b>${words(cost)}</b>${forecast !== undefined && html`, at this pace ${words(forecast)} by the end of the month`} <span class="soft">(${BASIS_WORDS[basis]})</span></p>`;
}

function tellExport(month: string): Html {
  const to = (format: string) => `/api/v1/costs/export?${new URLSearchParams({ format, month })}`;
  return html`For billing dashboards, in the columns of FOCUS: <a href="${to("csv")}" download>CSV</a>, <a href="${to("parquet")}" download>Parquet</a>`;
}

function tableOf(by: CostBy, sums: readonly CostSum[], totals: readonly CostTotal[]): Html {
  const words = wordsFor(sums[0]?.cost ?? 0);
  const whole = new Map(totals.map(({ currency, cost }) => [currency, cost]));
  const isOfOne = by === "preview" || by === "pull-request";
  const rows = sums.slice(0, ROWS).map(({ name, currency, cost, previews, about }) => {
    const all = whole.get(currency) ?? 0;
    const share = all > 0 ? `${Math.round((cost / all) * 100)} %` : "";
    const title =
      name === undefined
        ? html`<span class="soft">none</span>`
        : isOfOne
          ? html`<a href="${detailHref(name)}">${name}</a>`
          : html`${name}`;
    return html`<tr><th scope="row">${title}${about?.title && html` <span class="soft">${about.title}</span>`}</th><td>${words(cost, currency)}</td><td>${share}</td><td>${isOfOne ? (about?.author ?? "") : previews}</td></tr>`;
  });
  const rest = sums.length - ROWS;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Costs by ${BY[by].toLowerCase()}"><table class="matrix">
<thead><tr><th scope="col">${BY[by]}</th><th scope="col">Cost</th><th scope="col">Share</th><th scope="col">${isOfOne ? "Author" : "Previews"}</th></tr></thead>
<tbody>${rows}</tbody></table></div>${rest > 0 && html`<p class="soft">and ${rest} more: <code>stackling cost --by ${by}</code></p>`}`;
}

/** Of those that are kept; what the address says wrongly is not asked for. */
function monthOf(asked: unknown, now: string): string {
  const isMonth = typeof asked === "string" && MONTH.test(asked) && asked <= now.slice(0, 7);
  return isMonth ? asked : now.slice(0, 7);
}
