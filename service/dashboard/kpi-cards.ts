/** Lead times and failures: bars beside their numbers. */
import { type Html, html } from "../html.ts";
import type { FailureCount } from "../kpis/failures.ts";
import type { Kpis } from "../kpis/measure.ts";
import type { Spread } from "../kpis/spread.ts";
import { reasonWords } from "../reason-words.ts";
import { casesText } from "./kpi-tiles.ts";
import { listHref } from "./listing.ts";
import { leadText } from "./spans.ts";

const FAILURES_SHOWN = 10;

/** The middle half of each as a bar, its median as a mark in it. */
export function leadCard({ leadSeconds }: Kpis): Html {
  const { with: led, without, bots, since } = leadSeconds;
  const greatest = Math.max(led?.p75 ?? 0, without?.p75 ?? 0);
  return html`<section class="card" aria-labelledby="lead-head"><h2 id="lead-head">Lead time, from open to merge</h2>
${
  led || without
    ? html`<ul class="bars">${leadRow("With a preview", led, greatest)}${leadRow("Without", without, greatest)}</ul>`
    : html`<p>No merge was seen in this time.</p>`
}
<p class="soft">${
    since === undefined
      ? "No pull request was written down yet."
      : `Merges are written down since ${since.slice(0, 10)}.`
  } ${led && without && "These are different pull requests: the difference alone does not say what made it. "}${
    bots > 0 && `${bots} of bots ${bots === 1 ? "is" : "are"} left out.`
  }</p></section>`;
}

function leadRow(name: string, spread: Spread | undefined, greatest: number): Html {
  if (!spread) return html`<li><span>${name}</span><b class="soft">–</b><span class="soft">none was merged</span></li>`;
  const { cases, median, p25, p75 } = spread;
  const half = cases > 1 && html`; half of them took ${leadText(p25)} to ${leadText(p75)}`;
  return html`<li><span>${name}</span><b>${leadText(median)}</b><span class="soft">${casesText(cases, "pull request")}${half}</span>
${rangeOf(spread, greatest)}</li>`;
}

function rangeOf({ p25, p75, median }: Spread, greatest: number): Html {
  const at = (value: number) => Math.round((value / Math.max(greatest, 1)) * 980) / 10;
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="10"/><rect x="${at(p25)}" width="${Math.max(1, at(p75) - at(p25))}" height="10"/><rect class="median" x="${at(median)}" width="1" height="10"/></svg>`;
}

/** Each leads to those that stand so now. */
export function failuresCard({ failures }: Kpis, repository: string): Html {
  const total = failures.reduce((sum, { times }) => sum + times, 0);
  const [most] = failures;
  return html`<section class="card" aria-labelledby="failures-head"><h2 id="failures-head">Failures</h2>
${
  most
    ? html`<ul class="bars">${failures.slice(0, FAILURES_SHOWN).map((one) => failureRow(one, { most: most.times, repository }))}</ul>
<p class="soft">${total} in all${failures.length > FAILURES_SHOWN && `, for ${failures.length} reasons`}.</p>`
    : html`<p>Nothing failed in this time.</p>`
}</section>`;
}

interface Around {
  readonly most: number;
  readonly repository: string;
}

function failureRow({ reason, times, previews, now }: FailureCount, { most, repository }: Around): Html {
  const width = Math.max(1, Math.round((times / most) * 1000) / 10);
  return html`<li><span>${reason} <span class="soft">${plainWords(reason)}</span></span><b>${times}</b><span class="soft">${
    previews === 1 ? "in 1 preview" : `in ${previews} previews`
  }${now > 0 && html`; <a href="${listHref({ reason, repository })}">${now} now</a>`}</span>
<svg class="bar bad" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="10"/><rect width="${width}" height="10"/></svg></li>`;
}

function plainWords(reason: string): string {
  return reasonWords(reason).words.replaceAll("`", "");
}
