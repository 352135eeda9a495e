/** The numbers a team lives by. */
import { z } from "zod";
import { KPI_DAYS, type KpiDays, type ReadKpis } from "../../kpis/kpis.ts";
import type { Kpis } from "../../kpis/measure.ts";
import { readableOf } from "../../roles.ts";
import { type Route, route } from "../route.ts";

export interface KpiRoutesDeps {
  readonly kpis: ReadKpis;
}

const text = z.string();
const time = z.iso.datetime();
const count = z.int();
const share = z.number().describe("0 to 1.");

const spread = z
  .strictObject({
    cases: count.describe("How many there were: of few the rest says little."),
    mean: z.number().describe("Of all of them."),
    median: z.number().describe("Half are below it."),
    p25: z.number().describe("A quarter is below it."),
    p75: z.number().describe("Three quarters are below it."),
    p95: z.number().describe("All but one of twenty are below it."),
  })
  .meta({ id: "Spread" });

const answer = z
  .strictObject({
    days: count.describe("As asked for."),
    since: time.describe("Counted from here: later than asked for where there is too much to be read at once."),
    now: time.describe("When it was counted."),
    here: z
      .strictObject({
        previews: count,
        active: count,
        asleep: count,
        stalled: count,
        queued: count,
        asleepShare: share.optional(),
        ageSeconds: spread.optional(),
      })
      .describe("At this moment."),
    readySeconds: spread.optional().describe("From the first word of a version until it served."),
    asleepShare: share.optional().describe("Of the hours that previews were there, those asleep; 0 to 1."),
    failures: z
      .array(
        z.strictObject({
          reason: text,
          times: count.describe("How often it came to that."),
          previews: count.describe("In how many previews."),
          now: count.describe("Previews that stand so now."),
        }),
      )
      .describe("The most frequent first."),
    teardowns: z.strictObject({
      proved: count.describe("Receipts."),
      failedTries: count,
      rate: share.optional().describe("Of the tries, those that ended with a proof; 0 to 1."),
      failingNow: count,
    }),
    strays: z
      .strictObject({
        sweeps: count,
        since: time.optional().describe("The oldest of them: a hundred are kept."),
        found: count.describe("Each once, however many sweeps met it."),
        removed: count,
      })
      .optional()
      .describe("Of the whole instance; absent where some repositories are asked for."),
    costs: z
      .array(
        z.strictObject({
          currency: text.describe("ISO 4217"),
          basis: z.enum(["actual", "estimated", "both"]),
          total: z.number(),
          ...spread.shape,
        }),
      )
      .describe("Per pull request, what it cost in the period; by currency."),
    leadSeconds: z
      .strictObject({
        with: spread.optional().describe("Where a version served before the merge."),
        without: spread.optional(),
        bots: count.describe("Merged pull requests of bots, which are left out."),
        since: time.optional().describe("Since when merges are written down; absent while none was."),
      })
      .describe("From a pull request's opening until its merge."),
    course: z
      .array(
        z.strictObject({
          at: time.describe("Its end."),
          failures: count,
          readySeconds: z.number().optional(),
          leadWith: z.number().optional(),
          leadWithout: z.number().optional(),
        }),
      )
      .describe("By day of a week, else by week, oldest first; seconds are medians."),
  })
  .meta({ id: "Kpis" }) satisfies z.ZodType<Kpis>;

export function kpiRoutes({ kpis }: KpiRoutesDeps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/kpis",
      id: "readKpis",
      tag: "Instance",
      summary: "How many previews, how fast, how sure, how dear, and lead times with and without one",
      description: "Counted at most once a minute. Stages are no previews and count for nothing.",
      may: "look",
      where: "anywhere",
      query: z.object({
        days: z
          .enum(KPI_DAYS.map(String) as ["7", "30", "90"])
          .default("30")
          .describe("Up to now."),
        repository: text.max(200).optional().describe("Of one repository, by its name."),
      }),
      answer: { status: 200, schema: answer, says: "What the period came to." },
      handle({ caller, query: { days, repository } }) {
        const repositories = readableOf(caller, repository);
        return kpis({ days: Number(days) as KpiDays, ...(repositories === undefined ? {} : { repositories }) });
      },
    }),
  ];
}
