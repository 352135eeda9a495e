/** What previews take that no budget can count, for it has no price and is on no bill that is read. Pure. */
import type { Finding } from "../../../components/ports.ts";
import type { CostsConfig } from "../../config/costs.ts";
import type { Preview } from "../../status.ts";
import { estimateOf } from "../estimate.ts";
import type { CostedSpec } from "../hourly.ts";
import type { Prices } from "../prices.ts";
import { groupOf, METERS, type Meter } from "../types.ts";

/** Of those that have a budget. */
export interface Uncounted {
  readonly previews: number;
  readonly meters: readonly Meter[];
}

/** Meters of one preview, by its version that serves, or is the first to. */
export function uncountedOf(
  { status: { live, expected } }: Pick<Preview, "status">,
  prices: Prices,
  costs: BillsRead | undefined,
): readonly Meter[] {
  const spec = live ?? expected;
  return spec ? estimateOf(spec, prices).unpriced.filter((meter) => !isBilled(meter, spec.target, costs)) : [];
}

type BillsRead = Pick<CostsConfig, "costExplorer" | "opencost">;

/** Neon's history has quantities alone, which need the same prices. */
function isBilled(meter: Meter, { service, secrets }: CostedSpec["target"], costs: BillsRead | undefined): boolean {
  if (costs?.costExplorer && meter === "secrets" && secrets.driver === "aws") return true;
  if (groupOf(meter) !== "infrastructure") return false;
  if (service.driver === "kubernetes") return Object.keys(costs?.opencost ?? {}).length > 0;
  return service.driver === "ecs" && costs?.costExplorer !== undefined && meter !== "load-balancer";
}

/** Of several previews together; undefined where all of them is counted. */
export function together(each: readonly (readonly Meter[])[]): Uncounted | undefined {
  const lacking = each.filter((meters) => meters.length > 0);
  if (lacking.length === 0) return undefined;
  return { previews: lacking.length, meters: METERS.filter((meter) => lacking.some((one) => one.includes(meter))) };
}

/** `the budget "team" covers 2 previews without a price for cpu, memory: nothing of that counts` */
export function uncountedWords(budget: string, { previews, meters }: Uncounted): string {
  const what = meters.map((meter) => meter.replace("-", " ")).join(", ");
  return `${budget} covers ${previews} ${previews === 1 ? "preview" : "previews"} without a price for ${what}: nothing of that counts`;
}

/** For `doctor`: one of each budget, over all that have it. */
export function uncountedFindings(
  states: readonly { readonly budget: { readonly name: string }; readonly uncounted?: Uncounted }[],
): readonly Finding[] {
  return [...Map.groupBy(states, ({ budget }) => budget.name)].flatMap(([name, parts]) => {
    const lacking = parts.flatMap(({ uncounted }) => uncounted ?? []);
    if (lacking.length === 0) return [];
    const previews = lacking.reduce((sum, part) => sum + part.previews, 0);
    const meters = METERS.filter((meter) => lacking.some((part) => part.meters.includes(meter)));
    const remedy = "set prices for that under `costs` in stackling.yaml, or name there whose bill has it";
    return [{ ok: false, what: uncountedWords(`the budget "${name}"`, { previews, meters }), remedy }];
  });
}
