/** How many previews there were, how fast they came and how surely they went, as pictures and as tables. */
import type { Router } from "express";
import type { Bucket, Summary } from "../trends/sample.ts";
import type { Trends } from "../trends/trends.ts";
import type { Answering } from "./answering.ts";
import type { Chart } from "./chart.ts";
import { type Html, html } from "./html.ts";
import { type Frame, layout } from "./layout.ts";

const RANGES = {
  day: { text: "24 hours", days: 1, hours: 1 },
  week: { text: "7 days", days: 7, hours: 6 },
  month: { text: "30 days", days: 30, hours: 24 },
  year: { text: "A year", days: 364, hours: 168 },
} as const;
type Range = keyof typeof RANGES;

export function trendsPages(
  pages: Router,
  { trends, frameOf, send }: Pick<Answering, "frameOf" | "send"> & { readonly trends: Trends },
): void {
  pages.get("/trends", async (request, response) => {
    const frame = await frameOf(request);
    if (!frame.session) return response.redirect(303, "/");
    const asked = request.query.range;
    const range = typeof asked === "string" && Object.hasOwn(RANGES, asked) ? (asked as Range) : "week";
    // Drawn for few, and so loaded for them.
    const [{ chartOf }, buckets] = await Promise.all([import("./chart.ts"), trends.buckets(RANGES[range])]);
    send(response, 200, trendsPage({ range, charts: chartsOf(buckets).map(chartOf), frame }));
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
  const live = html`<div class="head"><h1>Trends</h1><p class="soft">Counted once an hour, without stages; times are UTC</p></div>
<nav aria-label="Time"><ul class="tiles">${links}</ul></nav>
<div class="charts">${charts}</div>`;
  return layout({ title: "Trends", frame, liveUrl: "", live, wide: true });
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
      { title: "Time to ready", lines: ["p50", "p95"], format: secondsText, least: 10 },
      ({ readyP50 }) => readyP50,
      ({ readyP95 }) => readyP95,
    ),
    chart(
      { title: "Mean age", lines: ["Mean age"], format: daysText, least: 86_400 },
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

function secondsText(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function daysText(seconds: number): string {
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function rateText(rate: number): string {
  return `${Math.round(rate * 1000) / 10} %`;
}
