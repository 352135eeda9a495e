/** How many previews there were, how fast they came, how surely they went and what they cost, as pictures and as tables. */
import type { Router } from "express";
import { type Html, html } from "../html.ts";
import type { Costs } from "../money/costs.ts";
import type { Bucket, Summary } from "../trends/sample.ts";
import type { Trends } from "../trends/trends.ts";
import type { Answering } from "./answering.ts";
import type { Chart } from "./chart.ts";
import { costChart } from "./cost-chart.ts";
import { type Frame, layout } from "./layout.ts";
import { daysText, rateText, secondsText, timeUnit } from "./spans.ts";

const RANGES = {
  day: { text: "24 hours", days: 1, hours: 1 },
  week: { text: "7 days", days: 7, hours: 6 },
  month: { text: "30 days", days: 30, hours: 24 },
  year: { text: "A year", days: 364, hours: 168 },
} as const;
type Range = keyof typeof RANGES;

/** In seconds. */
const HOUR = 3600;

const DAY_MS = 86_400_000;

export interface TrendsPagesDeps {
  readonly trends: Trends;
  readonly costs: Pick<Costs, "sums" | "now">;
}

export function trendsPages(
  pages: Router,
  { trends, costs, frameOf, send }: Pick<Answering, "frameOf" | "send"> & TrendsPagesDeps,
): void {
  pages.get("/trends", async (request, response) => {
    const frame = await frameOf(request);
    if (!frame.session) return response.redirect(303, "/");
    const asked = request.query.range;
    const range = typeof asked === "string" && Object.hasOwn(RANGES, asked) ? (asked as Range) : "week";
    // Drawn for few, and so loaded for them.
    const [{ chartOf }, buckets, cost] = await Promise.all([
      import("./chart.ts"),
      trends.buckets(RANGES[range]),
      costOf(costs, RANGES[range]),
    ]);
    const charts = [...chartsOf(buckets), ...(cost ? [cost] : [])];
    send(response, 200, trendsPage({ range, charts: charts.map(chartOf), frame }));
  });
}

/** For the list: what a team lives by, leading to the rest. */
export function trendTiles({ days, readyP50, readyP95, teardownRate }: Summary): Html {
  const tile = (value: string, text: string) =>
    html`<li><a href="/trends" class="tile" title="Over the last ${days} days"><b>${value}</b> ${text}</a></li>`;
  return html`${readyP50 !== undefined && readyP95 !== undefined && tile(secondsText(readyP50), `until ready, p95 ${secondsText(readyP95)}`)}${
    teardownRate !== undefined && tile(rateText(teardownRate), "of teardowns at the first try")
  }`;
}

function trendsPage({ range, charts, frame }: { range: Range; charts: readonly Html[]; frame: Frame }): Html {
  const links = (Object.keys(RANGES) as Range[]).map(
    (name) =>
      html`<li><a class="tile" href="/trends?range=${name}"${name === range && html` aria-current="true"`}>${RANGES[name].text}</a></li>`,
  );
  const live = html`<div class="head"><h1>Trends</h1><p class="soft">Counted once an hour without stages, costs by day with them; times are UTC</p></div>
<nav aria-label="Time"><ul class="tiles">${links}</ul></nav>
<div class="charts">${charts}</div>`;
  return layout({ title: "Trends", frame, liveUrl: "", live, wide: true });
}

/** From the first day that something cost; the ledger has no hours. */
async function costOf(
  { sums, now }: TrendsPagesDeps["costs"],
  { days, hours }: (typeof RANGES)[Range],
): Promise<Chart | undefined> {
  if (days === 1) return undefined;
  const to = now().slice(0, 10);
  const first = new Date(Date.parse(to) - (days - 1) * DAY_MS).toISOString().slice(0, 10);
  const daily = await sums({ by: "day", from: first, to });
  const from = daily.sums.at(-1)?.from ?? first;
  return costChart(daily.sums, { from, to, by: hours === 168 ? "week" : "day" }, now());
}

function chartsOf(buckets: readonly Bucket[]): readonly Chart[] {
  const chart = (
    more: Omit<Chart, "points" | "says">,
    ...of: readonly ((bucket: Bucket) => number | undefined)[]
  ): Chart => {
    const points = buckets.map((bucket) => ({ at: bucket.at, values: of.map((value) => value(bucket)) }));
    return {
      ...more,
      points,
      says: `${more.title}. ${more.lines.map((name, index) => lastWords(name, index, points, more.format)).join(" ")}`,
    };
  };
  const whole = (value: number) => String(Math.round(value * 100) / 100);
  return [
    chart(
      { title: "Previews", lines: ["All", "Active", "Stalled"], format: whole, least: 4 },
      ({ here }) => here,
      ({ awake }) => awake,
      ({ stalled }) => stalled,
    ),
    chart(
      { title: "Time to ready", lines: ["p50", "p95"], format: secondsText, least: 10, unit: timeUnit },
      ({ readyP50 }) => readyP50,
      ({ readyP95 }) => readyP95,
    ),
    chart(
      { title: "Mean age", lines: ["Mean age"], format: daysText, least: 4 * HOUR, unit: timeUnit },
      ({ meanAgeSeconds }) => meanAgeSeconds,
    ),
    chart(
      { title: "Teardowns done at the first try", lines: ["Share"], format: rateText, least: 1 },
      ({ teardownRate }) => teardownRate,
    ),
  ];
}

function lastWords(name: string, index: number, points: Chart["points"], format: Chart["format"]): string {
  const values = points.flatMap(({ values: all }) => all[index] ?? []);
  const last = values.at(-1);
  if (last === undefined) return `${name}: nothing known.`;
  return `${name}: ${format(last)} now, between ${format(Math.min(...values))} and ${format(Math.max(...values))}.`;
}
