/** What previews' branches used at Neon, as its bill counts it. */
import { type Api, ConsumptionHistoryGranularity, type ConsumptionHistoryPerBranchV2 } from "@neondatabase/api-client";
import { type ActualCost, type DayRange, nextDay } from "../actual-cost.ts";
import { StacklingError } from "../errors.ts";
import type { Neon } from "./api.ts";
import { ownBranches, stackOf } from "./branches.ts";
import { type Account, connect } from "./options.ts";

/** A plan's prices, in one currency. */
export interface NeonPrices {
  readonly currency: string;
  /** Of a compute unit; undefined for a plan without a price. */
  readonly computeUnitHour: (plan: string) => number | undefined;
  /** Of 10⁹ bytes for 744 hours. */
  readonly gbMonth: number;
}

export interface BranchUsage {
  readonly lines: readonly ActualCost[];
  /** Stacks by the ids of branches: the API names branches by these alone, and forgets the names of those that are gone. */
  readonly stacks: Readonly<Record<string, string>>;
}

const METRICS = ["compute_unit_seconds", "root_branch_bytes_month", "child_branch_bytes_month"] as const;
const PAGE = 1000;
const MOST_PAGES = 50;
/** Neon's docs, "Usage and cost calculations": byte-hours, in billing months of 744 hours, in GB of 10⁹ bytes. */
const BILLING_MONTH_HOURS = 744;
const GB = 1e9;
const GIB = 1024 ** 3;

/** `known`: what was `stacks` before. Rejects with `StacklingError`. Wakes no compute. */
export async function neonCosts(
  account: Account,
  range: DayRange & {
    readonly organization: string;
    readonly prices: NeonPrices;
    readonly known: BranchUsage["stacks"];
  },
): Promise<BranchUsage> {
  const neon = await connect(account);
  const here = (await ownBranches(neon)).flatMap((branch) => {
    const stack = stackOf(branch);
    return stack === undefined ? [] : [[branch.id, stack] as const];
  });
  const stacks = { ...range.known, ...Object.fromEntries(here) };
  const used = await history(neon, range);
  const lines = used.flatMap((branch) => {
    const stack = Object.hasOwn(stacks, branch.branch_id) ? stacks[branch.branch_id] : undefined;
    return stack === undefined ? [] : linesOf(branch, { stack, prices: range.prices });
  });
  return { lines, stacks };
}

async function history(
  neon: Neon,
  { organization, from, to }: DayRange & { readonly organization: string },
): Promise<readonly ConsumptionHistoryPerBranchV2[]> {
  const found: ConsumptionHistoryPerBranchV2[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await neon.ask("asking Neon what branches used", (api: Api<unknown>, project) =>
      api.getConsumptionHistoryPerBranchV2({
        ...{ project_ids: [project], org_id: organization, limit: PAGE, metrics: [...METRICS] },
        ...{ from: `${from}T00:00:00Z`, to: `${nextDay(to)}T00:00:00Z` },
        granularity: ConsumptionHistoryGranularity.Daily,
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
    if (!answer) {
      const userMessage = `asking Neon what branches used: there is no organization "${organization}" with the project "${neon.project}"`;
      throw new StacklingError({ reason: "TargetInvalid", userMessage });
    }
    found.push(...answer.branches);
    const next = answer.pagination?.cursor;
    if (!next || next === cursor || answer.branches.length === 0) return found;
    cursor = next;
  }
  // A part of it would look like all of it.
  const userMessage = `asking Neon what branches used: there are more than ${MOST_PAGES * PAGE}`;
  throw new StacklingError({ reason: "TargetInvalid", userMessage });
}

function linesOf(
  { periods }: ConsumptionHistoryPerBranchV2,
  { stack, prices }: { readonly stack: string; readonly prices: NeonPrices },
): readonly ActualCost[] {
  return periods.flatMap(({ period_plan: plan, consumption }) =>
    consumption.flatMap(({ timeframe_start: start, metrics = [] }): ActualCost[] => {
      if (start === undefined) return [];
      const sum = (...names: readonly (typeof METRICS)[number][]) =>
        metrics.reduce((total, one) => (names.some((name) => name === one.metric_name) ? total + one.value : total), 0);
      const computeHours = sum("compute_unit_seconds") / 3600;
      const byteMonths = sum("root_branch_bytes_month", "child_branch_bytes_month") / BILLING_MONTH_HOURS;
      const of = { stack, day: start.slice(0, 10), currency: prices.currency };
      const lines: ActualCost[] = [
        {
          ...{ ...of, meter: "database-compute", unit: "units", quantity: computeHours },
          cost: computeHours * (prices.computeUnitHour(plan) ?? 0),
        },
        {
          ...{ ...of, meter: "database-storage", unit: "GiB-months", quantity: byteMonths / GIB },
          cost: (byteMonths / GB) * prices.gbMonth,
        },
      ];
      return lines.filter(({ quantity }) => quantity > 0);
    }),
  );
}
