/** One card for each number, with what it is of. */
import { type Html, html } from "../html.ts";
import type { Kpis } from "../kpis/measure.ts";
import type { Spread } from "../kpis/spread.ts";
import { moneyWords } from "../money/amount.ts";
import { smallMoneyWords } from "../money/words.ts";
import { listHref } from "./listing.ts";
import { daysText, rateText, secondsText } from "./spans.ts";

interface Tile {
  readonly name: string;
  /** Absent while nothing is known. */
  readonly value?: string;
  readonly words: Html;
}

export function tilesOf(kpis: Kpis): Html {
  const tiles = [
    hereTile(kpis),
    ageTile(kpis),
    readyTile(kpis),
    asleepTile(kpis),
    teardownTile(kpis),
    ...straysTiles(kpis),
    ...costTiles(kpis),
  ];
  return html`<dl class="kpis">${tiles.map(
    ({ name, value, words }) =>
      html`<div class="card"><dt>${name}</dt><dd><b${value === undefined && html` class="soft"`}>${value ?? "–"}</b><span class="soft">${words}</span></dd></div>`,
  )}</dl>`;
}

/** `median of 12 versions`; of one there is no median, and of few that is said. */
export function casesText(cases: number, one: string, many = `${one}s`): string {
  if (cases === 1) return `of 1 ${one}, too few to say much`;
  return `median of ${cases} ${many}${cases < FEW ? ", too few to say much" : ""}`;
}

const FEW = 10;
/** Of the currency: below it cents say little. */
const SMALL = 0.1;
/** From here on the slowest of twenty is no longer the slowest of all. */
const P95_CASES = 20;

/** The 95th percentile, which of few is the greatest. */
function tailText(
  { cases, p95 }: Pick<Spread, "cases" | "p95">,
  format: (value: number) => string,
  greatest: string,
): string {
  return cases < P95_CASES ? `${greatest} ${format(p95)}` : `p95 ${format(p95)}`;
}

function hereTile({ here }: Kpis): Tile {
  const part = (count: number, text: string, href: string) =>
    count > 0 && html` <a href="${href}">${count} ${text}</a>`;
  return {
    name: "Previews now",
    value: String(here.previews),
    words: html`${part(here.active, "active", listHref({ stage: "Active" }))}${part(here.asleep, "asleep", listHref({ stage: "Asleep" }))}${part(
      here.stalled,
      "stalled",
      listHref({ status: "Stalled" }),
    )}${part(here.queued, "queued", listHref({ reason: "Queued" }))}`,
  };
}

function ageTile({ here: { ageSeconds } }: Kpis): Tile {
  if (!ageSeconds) return { name: "Age", words: html`no preview is there` };
  const { cases, median, mean } = ageSeconds;
  if (cases === 1) return { name: "Age", value: daysText(median), words: html`of the only one` };
  return {
    name: "Age",
    value: daysText(median),
    words: html`median; mean ${daysText(mean)}, ${tailText(ageSeconds, daysText, "oldest")}`,
  };
}

function readyTile({ readySeconds }: Kpis): Tile {
  const name = "Time to ready";
  if (!readySeconds) return { name, words: html`no version came to serve` };
  const { cases, median } = readySeconds;
  return {
    name,
    value: secondsText(median),
    words: html`${casesText(cases, "version")}${cases > 1 && `; ${tailText(readySeconds, secondsText, "slowest")}`}`,
  };
}

function asleepTile({ asleepShare, here }: Kpis): Tile {
  if (asleepShare === undefined) return { name: "Asleep", words: html`no preview was there` };
  const now = here.asleepShare === undefined ? "" : `; ${rateText(here.asleepShare)} of previews now`;
  return { name: "Asleep", value: rateText(asleepShare), words: html`of the hours that previews were there${now}` };
}

function teardownTile({ teardowns: { proved, failedTries, rate, failingNow } }: Kpis): Tile {
  const name = "Destroy success";
  if (rate === undefined) return { name, words: html`nothing was torn down` };
  const tries = proved + failedTries;
  return {
    name,
    value: rateText(rate),
    words: html`of ${tries} ${tries === 1 ? "try" : "tries"}${
      failingNow > 0 &&
      html`; <a href="${listHref({ reason: "DestroyFailed" })}">${failingNow} cannot be removed now</a>`
    }`,
  };
}

function straysTiles({ strays, since }: Kpis): readonly Tile[] {
  if (!strays) return [];
  const { sweeps, found, removed, since: first } = strays;
  if (sweeps === 0) return [{ name: "Strays", words: html`no sweep was made` }];
  // A hundred sweeps are kept, which may be less than the period.
  const from = first !== undefined && Date.parse(first) - Date.parse(since) > 2 * 86_400_000 ? first : undefined;
  return [
    {
      name: "Strays",
      value: String(found),
      words: html`found in ${sweeps} ${sweeps === 1 ? "sweep" : "sweeps"}${from !== undefined && ` since ${from.slice(0, 10)}`}, ${removed} removed`,
    },
  ];
}

function costTiles({ costs }: Kpis): readonly Tile[] {
  const name = "Cost per pull request";
  if (costs.length === 0) return [{ name, words: html`nothing was counted` }];
  return costs.map(({ currency, basis, cases, median, mean, p95, total }) => {
    const money = (amount: number) => (amount < SMALL ? smallMoneyWords : moneyWords)(amount, currency);
    const most = tailText({ cases, p95 }, money, "dearest");
    const further = cases > 1 ? `; mean ${money(mean)}, ${most}; ${money(total)} in all` : "";
    const source = basis === "actual" ? "as billed" : basis === "both" ? "partly as billed" : "estimated";
    return { name, value: money(median), words: html`${casesText(cases, "pull request")}${further}; ${source}` };
  });
}
