/** Lines over time as SVG: drawn here, so that they need no script, and coloured by the style sheet, so that they are light or dark as the page. */
import { scaleLinear, scaleUtc } from "d3-scale";
import { line } from "d3-shape";
import { type Html, html } from "../html.ts";

export interface ChartPoint {
  /** ISO 8601 UTC: the end of what it is of, unless the chart says otherwise. */
  readonly at: string;
  /** By line; undefined where nothing is known. */
  readonly values: readonly (number | undefined)[];
}

export interface Chart {
  readonly title: string;
  /** What is to be seen, in a sentence: said instead of the picture. */
  readonly says: string;
  readonly lines: readonly string[];
  readonly points: readonly ChartPoint[];
  /** What points are of that begin at their time, such as `Day`. */
  readonly each?: string;
  /** As people read a value. */
  readonly format: (value: number) => string;
  /** The scale goes at least up to here. */
  readonly least: number;
  /** What its marks are multiples of, by the greatest value; default: 1. */
  readonly unit?: (greatest: number) => number;
}

const [WIDTH, HEIGHT] = [480, 184];
const PAD = { top: 12, right: 12, bottom: 32, left: 46 };
const DAY_MS = 86_400_000;
const TICKS = { across: 6, up: 4 };

/** With a table of the same, for who would rather read. */
export function chartOf(chart: Chart): Html {
  const { title, says, lines, points, format, least, unit } = chart;
  const times = points.map(({ at }) => new Date(at));
  const known = points.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const x = scaleUtc([times[0] ?? new Date(0), times.at(-1) ?? new Date(0)], [PAD.left, WIDTH - PAD.right]);
  const greatest = Math.max(least, ...known);
  const one = unit?.(greatest) ?? 1;
  const scale = scaleLinear([0, greatest / one], [HEIGHT - PAD.bottom, PAD.top]).nice(TICKS.up);
  const y = (value: number) => scale(value / one);
  const isLong = chart.each !== undefined || Number(times.at(-1) ?? 0) - Number(times[0] ?? 0) > 2 * DAY_MS;
  const day = x.tickFormat(TICKS.across, isLong ? "%-d %b" : "%H:%M");
  // A few days have hours between them that no point is of.
  const marks = chart.each !== undefined && times.length <= TICKS.across ? times : x.ticks(TICKS.across);
  const picture = html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${says}">
${scale.ticks(TICKS.up).map((mark) => html`<line class="grid" x1="${PAD.left}" x2="${WIDTH - PAD.right}" y1="${round(scale(mark))}" y2="${round(scale(mark))}"/><text class="up" x="${PAD.left - 8}" y="${round(scale(mark) + 4)}">${format(mark * one)}</text>`)}
${marks.map((tick, at) => html`<text class="${at % 2 === 0 ? "across" : "across between"}" x="${round(x(tick))}" y="${HEIGHT - 10}">${day(tick)}</text>`)}
${lines.map((_, index) => lineOf({ points, index, x: (at) => x(new Date(at)), y }))}</svg>`;
  return html`<figure class="card chart"><figcaption><h2>${title}</h2>${legendOf(lines)}</figcaption>${
    known.length === 0 ? html`<p class="soft">Nothing is known yet: it is counted once an hour.</p>` : picture
  }${known.length > 0 && tableOf(chart)}</figure>`;
}

interface Line {
  readonly points: readonly ChartPoint[];
  readonly index: number;
  readonly x: (at: string) => number;
  readonly y: (value: number) => number;
}

/** Broken where nothing is known; a value that stands alone is a dot. */
function lineOf({ points, index, x, y }: Line): Html {
  const of = ({ values }: ChartPoint) => values[index];
  const path = line<ChartPoint>()
    .defined((point) => of(point) !== undefined)
    .x(({ at }) => round(x(at)))
    .y((point) => round(y(of(point) ?? 0)));
  const isKnown = (at: number) => points[at] !== undefined && of(points[at]) !== undefined;
  const alone = points.filter((_, at) => isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1));
  return html`<path class="line line-${index}" d="${path([...points]) ?? ""}"/>${alone.map(
    (point) => html`<circle class="dot-${index}" cx="${round(x(point.at))}" cy="${round(y(of(point) ?? 0))}" r="3"/>`,
  )}`;
}

function legendOf(lines: readonly string[]): Html {
  if (lines.length < 2) return html``;
  return html`<ul class="legend">${lines.map((name, index) => html`<li><span class="key key-${index}" aria-hidden="true"></span>${name}</li>`)}</ul>`;
}

function tableOf({ title, lines, points, each, format }: Chart): Html {
  const timeOf = (at: string) => (each === undefined ? at.slice(0, 16).replace("T", " ") : at.slice(0, 10));
  const rows = points.filter(({ values }) => values.some((value) => value !== undefined)).toReversed();
  return html`<details><summary>As a table</summary><div class="wide" tabindex="0" role="region" aria-label="${title} as a table"><table class="matrix">
<thead><tr><th scope="col">${each ?? "Until"}</th>${lines.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ at, values }) =>
      html`<tr><th scope="row"><time datetime="${at}">${timeOf(at)}</time></th>${values.map((value) => html`<td>${value === undefined ? "" : format(value)}</td>`)}</tr>`,
  )}</tbody></table></div></details>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
