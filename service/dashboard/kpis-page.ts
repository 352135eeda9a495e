/** The numbers a team lives by, of a period and a repository: each with how many cases it is of. */
import type { Router } from "express";
import { type Html, html } from "../html.ts";
import { KPI_DAYS, type KpiDays, type ReadKpis } from "../kpis/kpis.ts";
import type { Kpis } from "../kpis/measure.ts";
import { readableOf, visibleTo } from "../roles.ts";
import type { Store } from "../store/store.ts";
import type { Answering } from "./answering.ts";
import type { Chart } from "./chart.ts";
import { failuresCard, leadCard } from "./kpi-cards.ts";
import { tilesOf } from "./kpi-tiles.ts";
import { type Frame, layout } from "./layout.ts";
import { leadText, secondsText, timeUnit } from "./spans.ts";

export interface KpiPagesDeps extends Pick<Answering, "frameOf" | "send"> {
  readonly kpis: ReadKpis;
  readonly store: Pick<Store, "current">;
}

/** What the address asks for. */
interface Wish {
  readonly days: KpiDays;
  /** Empty: all that one may look at. */
  readonly repository: string;
}

export function kpiPages(pages: Router, { kpis, store, frameOf, send }: KpiPagesDeps): void {
  pages.get("/kpis", async (request, response) => {
    const frame = await frameOf(request);
    const { session } = frame;
    if (!session) return response.redirect(303, "/");
    const { days: asked, repository: named } = request.query;
    const repository = typeof named === "string" ? named.slice(0, 200) : "";
    const wish: Wish = { days: KPI_DAYS.find((days) => String(days) === asked) ?? 30, repository };
    const repositories = readableOf(session, repository === "" ? undefined : repository);
    const [{ chartOf }, found, here] = await Promise.all([
      import("./chart.ts"),
      kpis({ days: wish.days, ...(repositories ? { repositories } : {}) }),
      store.current(),
    ]);
    const names = [...new Set(visibleTo(session, here).map((preview) => preview.repository))].sort();
    send(response, 200, kpisPage({ wish, names, kpis: found, charts: chartsOf(found).map(chartOf), frame }));
  });
}

interface KpisPage {
  readonly wish: Wish;
  /** Repositories to choose from. */
  readonly names: readonly string[];
  readonly kpis: Kpis;
  readonly charts: readonly Html[];
  readonly frame: Frame;
}

function kpisPage({ wish, names, kpis, charts, frame }: KpisPage): Html {
  const of = wish.repository === "" ? "" : ` of ${wish.repository}`;
  const live = html`<div class="head"><h1>KPIs</h1><p class="soft">Since ${kpis.since.slice(0, 10)}${of}; stages count for nothing, times are UTC</p></div>
<div class="choices"><nav aria-label="Time"><ul class="tiles">${KPI_DAYS.map(
    (days) =>
      html`<li><a class="tile" href="${hrefOf({ ...wish, days })}"${days === wish.days && html` aria-current="true"`}>${days} days</a></li>`,
  )}</ul></nav>${repositoryForm(wish, names)}</div>
${tilesOf(kpis)}
${leadCard(kpis)}
${failuresCard(kpis, wish.repository)}
${charts.length > 0 && html`<div class="charts">${charts}</div>`}`;
  return layout({ title: "KPIs", frame, liveUrl: "", live, wide: true });
}

function repositoryForm({ days, repository }: Wish, names: readonly string[]): Html {
  const all = repository === "" || names.includes(repository) ? names : [...names, repository];
  if (all.length < 2 && repository === "") return html``;
  return html`<form class="filter" action="/kpis" method="get" hx-get="/kpis" hx-target="#live" hx-select="#live" hx-swap="morph" hx-push-url="true" hx-trigger="input, submit">
<input type="hidden" name="days" value="${days}"><label><span>Repository</span><select name="repository"><option value="">All</option>${all.map(
    (name) => html`<option${name === repository && html` selected`}>${name}</option>`,
  )}</select></label><button class="apply">Show</button></form>`;
}

function hrefOf({ days, repository }: Wish): string {
  const query = new URLSearchParams({ days: String(days), ...(repository === "" ? {} : { repository }) });
  return `/kpis?${query}`;
}

/** What is known at two times or more: of one, the numbers above say all there is. */
function chartsOf({ course, days }: Kpis): readonly Chart[] {
  const by = days <= 7 ? "by day" : "by week";
  type Value = (stretch: Kpis["course"][number]) => number | undefined;
  const chart = (more: Omit<Chart, "points" | "says">, ...of: readonly Value[]): readonly Chart[] => {
    const points = course.map((stretch) => ({ at: stretch.at, values: of.map((value) => value(stretch)) }));
    const known = points.filter(({ values }) => values.some((value) => value !== undefined && value > 0));
    if (known.length < 2) return [];
    const says = more.lines.map((name, index) => {
      const last = points.flatMap(({ values }) => values[index] ?? []).at(-1);
      return `${name}: ${last === undefined ? "nothing known" : `${more.format(last)} in the end`}.`;
    });
    return [{ ...more, points, says: `${more.title}. ${says.join(" ")}` }];
  };
  return [
    ...chart(
      {
        title: `Lead time ${by}, median`,
        lines: ["With a preview", "Without"],
        format: leadText,
        least: 3600,
        unit: timeUnit,
      },
      ({ leadWith }) => leadWith,
      ({ leadWithout }) => leadWithout,
    ),
    ...chart(
      { title: `Time to ready ${by}, median`, lines: ["Median"], format: secondsText, least: 10, unit: timeUnit },
      ({ readySeconds }) => readySeconds,
    ),
    ...chart({ title: `Failures ${by}`, lines: ["Failures"], format: String, least: 4 }, ({ failures }) => failures),
  ];
}
