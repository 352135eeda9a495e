/** What previews cost. */
import { z } from "zod";
import type { Costs, CostTotal, SumsQuery } from "../../money/costs.ts";
import { firstOfMonth, MONTH, spanOfMonth } from "../../money/month.ts";
import { COST_BY, type CostPlace, type CostSum, orderOf } from "../../money/rollup.ts";
import { METERS, UNITS } from "../../money/types.ts";
import { readableOf } from "../../roles.ts";
import { pageOfRows } from "../../store/page.ts";
import { nextPage, pageQuery, pointOn } from "../paging.ts";
import { Refused } from "../problem.ts";
import { type Route, route } from "../route.ts";

export interface CostRoutesDeps {
  readonly costs: Costs;
}

/** Behind this one. */
const MONTHS_KEPT = 12;

const text = z.string();
const day = z.iso.date();
/** A month (UTC) in a query. */
export const month = z.string().regex(MONTH, 'must be a month such as "2026-11"');
const currency = text.describe("ISO 4217");
const amount = z.number().describe("In `currency`, not rounded.");
const basis = z
  .enum(["actual", "estimated", "both"])
  .describe("`actual`: a vendor's bill says so; `estimated`: counted by Stackling and priced by its price file.");

export const previewCostSchema = z
  .strictObject({
    currency,
    total: amount.describe("Since it was first made, within the 13 months that costs are kept."),
    month: amount.describe("Of this month, UTC."),
    today: amount.describe("Of this day, UTC."),
    basis,
    estimate: z
      .strictObject({
        ...{ awakePerHour: amount, asleepPerHour: amount, perMonth: amount.describe("Awake all the time.") },
        unpriced: z.array(z.enum(METERS)).readonly().describe("What it takes that has no price."),
        approximate: z.boolean().describe("Some prices are another region's, or reckoned from others."),
        words: text.describe("All of it as people read it."),
      })
      .optional()
      .describe("Of what serves now; before that of what is built first."),
  })
  .meta({ id: "PreviewCost" });

const costSum = z
  .strictObject({
    name: text.optional().describe("By what was asked; absent of what has none, such as previews without a team."),
    currency,
    cost: amount,
    basis,
    previews: z.int().describe("That took it."),
    from: day.describe("First day of it, UTC."),
    to: day.describe("Last day of it, UTC."),
    meters: z.array(z.strictObject({ meter: z.enum(METERS), quantity: z.number(), unit: z.enum(UNITS), cost: amount })),
    about: z
      .strictObject({
        key: text,
        repository: text,
        number: z.int().optional(),
        title: text.optional(),
        author: text.optional(),
        team: text.optional(),
        costCenter: text.optional(),
        owner: text.optional(),
        target: text,
      })
      .optional()
      .describe("Of a preview or pull request, as it was last."),
  })
  .meta({ id: "CostSum" });

export interface CostsAnswer extends Pick<SumsQuery, "by" | "from" | "to"> {
  readonly costs: readonly CostSum[];
  readonly totals: readonly CostTotal[];
  readonly next?: string;
}

const answer = z.strictObject({
  by: z.enum(COST_BY),
  from: day,
  to: day,
  costs: z.array(costSum),
  totals: z
    .array(
      z.strictObject({
        currency,
        cost: amount,
        basis,
        forecast: amount.optional().describe("Of the whole month at the pace of the last week; only of this month."),
      }),
    )
    .describe("Of all pages together, by currency."),
  next: nextPage,
}) satisfies z.ZodType<CostsAnswer>;

const query = z.object({
  ...pageQuery,
  by: z.enum(COST_BY).default("preview").describe("What the sums are of."),
  month: month.optional().describe("Default: this month; by `month` the last 13."),
  from: day.optional().describe("First day, UTC, in place of a month."),
  to: day.optional().describe("Last day, UTC. Default: today."),
  key: text.max(300).optional().describe("Of one preview."),
  repository: text.max(200).optional().describe("Of one repository, by its name."),
});
type Query = z.output<typeof query>;
export type CostsQuery = Partial<Omit<Query, "limit" | "cursor">>;

export function costRoutes({ costs }: CostRoutesDeps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/costs",
      id: "listCosts",
      tag: "Instance",
      summary: "What previews cost, the dearest first",
      description: "Also of those that are gone: kept for 13 months. Days and months come newest first.",
      may: "look",
      where: "anywhere",
      query,
      answer: { status: 200, schema: answer, says: "One page of the sums." },
      async handle(call) {
        const { by, key, cursor } = call.query;
        const behind = cursor === undefined ? undefined : readCursor(cursor);
        const days = behind?.days ?? daysOf(call.query, costs.now());
        const repositories = readableOf(call.caller, call.query.repository);
        const asked: SumsQuery = {
          ...{ by, ...days },
          ...(key === undefined ? {} : { key }),
          ...(repositories === undefined ? {} : { repositories }),
        };
        const { sums, totals } = await costs.sums(asked);
        const isAfter = orderOf(by);
        const rest = behind ? sums.filter((one) => isAfter(one, behind.last) > 0) : sums;
        const { rows: shown, next } = pageOfRows(rest, call.query.limit, (last) => writeCursor({ days, last }));
        pointOn(call, next);
        const found: CostsAnswer = { by, ...days, costs: shown, totals, ...(next === undefined ? {} : { next }) };
        return found;
      },
    }),
  ];
}

function daysOf({ by, month: asked, from, to }: Query, now: string): Pick<SumsQuery, "from" | "to"> {
  if (asked !== undefined && (from !== undefined || to !== undefined))
    throw new Refused(400, "BadRequest", `reading the request: give either "month" or "from" and "to"`);
  const today = now.slice(0, 10);
  const all = { from: firstOfMonth(now, -MONTHS_KEPT), to: today };
  if (from !== undefined || to !== undefined) return { from: from ?? all.from, to: to ?? today };
  if (asked === undefined && by === "month") return all;
  return spanOfMonth(asked ?? now.slice(0, 7));
}

/** Where a page ends: its days, which are not those of another moment, and what its last entry came to then. */
interface Behind {
  readonly days: Pick<SumsQuery, "from" | "to">;
  readonly last: CostPlace;
}

const cursorParts = z.tuple([day, day, text.nullable(), text, z.number()]);

function writeCursor({ days: { from, to }, last: { name, currency: of, cost } }: Behind): string {
  const parts: z.output<typeof cursorParts> = [from, to, name ?? null, of, cost];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function readCursor(cursor: string): Behind {
  const { data } = cursorParts.safeParse(jsonOf(Buffer.from(cursor, "base64url").toString("utf8")));
  if (!data)
    throw new Refused(400, "BadRequest", `reading the request: "${cursor.slice(0, 100)}" is the "next" of no answer`);
  const [from, to, name, of, cost] = data;
  return { days: { from, to }, last: { ...(name === null ? {} : { name }), currency: of, cost } };
}

function jsonOf(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}
