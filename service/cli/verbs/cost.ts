import type { PreviewView } from "../../api/preview-view.ts";
import type { CostsAnswer } from "../../api/routes/costs.ts";
import type { PreviewCost } from "../../money/costs.ts";
import { COST_BY, type CostBy, type CostSum, type MeterSum } from "../../money/rollup.ts";
import { BASIS_WORDS, meterWords, quantityWords, smallMoneyWords, spanWords } from "../../money/words.ts";
import { WrongUse } from "../../wrong-use.ts";
import type { Client } from "../client.ts";
import { type CliContext, connect } from "../context.ts";
import { monthOption, textOption } from "../options.ts";
import { type Column, colorsFor, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

/** What previews cost, from the ledger: of all of them, or of one. */
export const cost: RunVerb = async ({ args: [key], options, context }) => {
  const by = byOption(textOption(options.by) ?? "preview");
  const month = monthOption(textOption(options.month));
  const repository = textOption(options.repository);
  const client = await connect(options, context);
  if (key !== undefined) return costOfOne(client, key, { by, month, json: options.json === true, context });
  const found = await client.costs({
    by,
    ...(month === undefined ? {} : { month }),
    ...(repository === undefined ? {} : { repository }),
  });
  if (options.json) {
    printJson(context.stdout, found);
    return 0;
  }
  printSums(found, context);
  return 0;
};

/** All that is kept, of earlier lives of the key too. */
const ALL_KEPT = { from: "2000-01-01" } as const;

interface OfOne {
  readonly by: CostBy;
  readonly month: string | undefined;
  readonly json: boolean;
  readonly context: CliContext;
}

async function costOfOne(client: Client, key: string, { by, month, json, context }: OfOne): Promise<number> {
  const preview = await client.find(key);
  const isOverTime = by === "day" || by === "month";
  const days = month === undefined ? (by === "day" ? {} : ALL_KEPT) : { month };
  const found = await client.costs({ by, key: preview.key, ...days });
  if (json) {
    printJson(context.stdout, { ...found, key: preview.key, ...(preview.cost && { cost: preview.cost }) });
    return 0;
  }
  const { dim } = colorsFor(context.stdout, context.environment);
  for (const [name, value] of rowsOf(preview)) printLine(context.stdout, `${dim(name.padEnd(12))} ${plain(value)}`);
  if (found.costs.length === 0) return 0;
  printLine(context.stdout);
  if (isOverTime) printLine(context.stdout, table(found.costs, columnsOf(found), context));
  else for (const sum of found.costs) printLine(context.stdout, metersTable(sum, context));
  return 0;
}

function rowsOf({ key, title, author, cost: found }: PreviewView): readonly (readonly [string, string])[] {
  const said = [key, title, author && `(${author})`].filter(Boolean).join("  ");
  if (!found)
    return [
      ["preview", said],
      ["cost", "nothing was counted yet"],
    ];
  const { currency, total, month, today, estimate } = found;
  const words = (amount: number) => smallMoneyWords(amount, currency);
  return [
    ["preview", said],
    ["so far", `${words(total)}, ${BASIS_WORDS[found.basis]}`],
    ["this month", words(month)],
    ["today", words(today)],
    ...(estimate ? ([["estimate", estimateLine(estimate, words)]] as const) : []),
  ];
}

function estimateLine(
  { words: said, perMonth }: NonNullable<PreviewCost["estimate"]>,
  words: (amount: number) => string,
): string {
  return perMonth > 0 ? `${said}; ${words(perMonth)} for a month awake` : said;
}

function printSums(found: CostsAnswer, context: CliContext): void {
  if (found.costs.length === 0) {
    printLine(context.stdout, `nothing was counted in ${spanWords(found)}`);
    return;
  }
  const { bold, dim } = colorsFor(context.stdout, context.environment);
  for (const { currency, cost: amount, basis, forecast } of found.totals) {
    const ahead =
      forecast === undefined ? "" : `, at this pace ${smallMoneyWords(forecast, currency)} by the end of the month`;
    printLine(
      context.stdout,
      `${bold(smallMoneyWords(amount, currency))} in ${spanWords(found)}${ahead} ${dim(`(${BASIS_WORDS[basis]})`)}`,
    );
  }
  printLine(context.stdout);
  printLine(context.stdout, table(found.costs, columnsOf(found), context));
}

function columnsOf({ by, totals }: CostsAnswer): readonly Column<CostSum>[] {
  const all = new Map(totals.map(({ currency, cost: amount }) => [currency, amount]));
  const isOfOne = by === "preview" || by === "pull-request";
  const isOverTime = by === "day" || by === "month";
  const quantity = (meter: MeterSum["meter"]) => (sum: CostSum) => {
    const found = sum.meters.find((one) => one.meter === meter);
    return found ? quantityWords(found) : "";
  };
  const column = (title: string, value: (sum: CostSum) => string) => ({ title, value });
  return [
    column(by.toUpperCase().replace("-", " "), ({ name }) => name ?? "(none)"),
    column("COST", ({ cost: amount, currency }) => smallMoneyWords(amount, currency)),
    ...(isOverTime ? [] : [column("SHARE", (sum) => share(sum.cost, all.get(sum.currency)))]),
    column("CPU", quantity("cpu")),
    column("MEMORY", quantity("memory")),
    column("OTHER", ({ meters, currency }) => smallMoneyWords(restOf(meters), currency)),
    ...(isOfOne ? [] : [column("PREVIEWS", ({ previews }) => String(previews))]),
    ...(isOfOne ? [column("AUTHOR", ({ about }) => about?.author ?? "")] : []),
    ...(isOfOne ? [{ ...column("TITLE", ({ about }) => about?.title ?? ""), shrinks: true }] : []),
  ];
}

function share(part: number, whole = 0): string {
  return whole > 0 ? `${Math.round((part / whole) * 100)} %` : "";
}

function restOf(meters: readonly MeterSum[]): number {
  return meters.reduce(
    (sum, { meter, cost: amount }) => (meter === "cpu" || meter === "memory" ? sum : sum + amount),
    0,
  );
}

function metersTable({ meters, currency }: CostSum, context: CliContext): string {
  const columns = [
    { title: "WHAT", value: ({ meter }: MeterSum) => meterWords(meter) },
    { title: "QUANTITY", value: quantityWords },
    { title: "COST", value: ({ cost: amount }: MeterSum) => smallMoneyWords(amount, currency) },
  ];
  return table(meters, columns, context);
}

function byOption(value: string): CostBy {
  const known = COST_BY.find((one) => one === value);
  if (known !== undefined) return known;
  throw new WrongUse(`reading --by: "${value}" is none of ${COST_BY.join(", ")}`);
}
