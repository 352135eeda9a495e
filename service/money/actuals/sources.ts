/** Who can say what previews really cost, by the configuration; a vendor's code is loaded when it is first asked. */
import { type ActualCost, type DayRange, nextDay } from "../../../components/actual-cost.ts";
import type { CostExplorer } from "../../../components/aws/cost-explorer.ts";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import type { Finding } from "../../../components/ports.ts";
import { CALL_USD, type CostsConfig, type OpencostConfig } from "../../config/costs.ts";
import type { OperatorConfig } from "../../config/types.ts";
import { resolveSecret } from "../../secret-reference.ts";
import { firstOfMonth } from "../month.ts";
import type { Prices } from "../prices.ts";
import type { PullState, VendorSource } from "./state.ts";

export interface ActualSource {
  readonly source: VendorSource;
  /** As people call it. */
  readonly title: string;
  /** Days until a day's figures are whole. */
  readonly settlesInDays: number;
  /** First day that may have changed since it was read until `through`, a day with all before it. */
  readonly openSince: (through: string) => string;
  readonly everyHours: number;
  readonly againInHours: number;
  /** Where in `stackling.yaml` it is set. */
  readonly path: string;
  pull(range: DayRange, notes: Notes): Promise<readonly ActualCost[]>;
  /** Whether it answers now, where asking is free. */
  check?(): Promise<readonly Finding[]>;
}

/** What a question leaves behind. */
export interface Notes {
  readonly state: () => PullState;
  /** Written down at once. */
  readonly note: (state: Partial<PullState>) => Promise<void>;
  /** `2026-11-22`, UTC. */
  readonly today: string;
}

export function actualSources(
  { costs, targets }: Pick<OperatorConfig, "costs" | "targets">,
  prices: Prices,
): readonly ActualSource[] {
  if (!costs) return [];
  return [
    ...(costs.costExplorer ? [costExplorer(costs.costExplorer)] : []),
    ...(Object.keys(costs.opencost).length > 0 ? [opencost(costs.opencost)] : []),
    ...(costs.neon ? [neon(costs.neon, targets, prices)] : []),
  ];
}

/** Figures come late, and are the last word then. */
export function lastThreeDays(through: string): string {
  return nextDay(through, -2);
}

const BILL_DAYS = 2;
/** Of a month, when AWS has closed the one before; it says some days, and does not say how many. */
const CLOSED_ON = 10;

/** Tiers, credits and refunds move the days of a month until AWS closes it. */
function openMonths(through: string): string {
  const readOn = nextDay(through, BILL_DAYS);
  return firstOfMonth(readOn, Number(readOn.slice(8)) <= CLOSED_ON ? -1 : 0);
}

/** The bill is asked once a day; whether it knows our tag, as long as it does not. */
function costExplorer({ callsPerDay, ...account }: NonNullable<CostsConfig["costExplorer"]>): ActualSource {
  return {
    ...{ source: "aws", title: "AWS Cost Explorer", path: "costs.costExplorer" },
    ...{ settlesInDays: BILL_DAYS, openSince: openMonths, everyHours: 24, againInHours: 2 },
    async pull(range, notes) {
      const { createCostExplorer } = await import("../../../components/aws/cost-explorer.ts");
      const explorer = createCostExplorer(account, { spend: () => spend(callsPerDay, notes) });
      const lines = await explorer.costs(range);
      const tag = lines.length > 0 ? { ok: true, what: "AWS' bill knows our previews" } : await checkTag(explorer);
      await notes.note({ tag });
      return lines;
    },
  };
}

/** Most accounts may read their own bill, and only the organization's first may ask for tags. */
async function checkTag(explorer: CostExplorer): Promise<Finding> {
  try {
    return await explorer.checkTag();
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    const what = `AWS' bill says nothing of our previews, and whether it knows their tag could not be asked: ${error.userMessage}`;
    const remedy = "look in the management account, under Billing, Cost allocation tags, whether it is active";
    return { ok: false, what, remedy };
  }
}

/** Counted before the call: one whose answer was lost is charged, too. */
async function spend(callsPerDay: number, { state, note, today }: Notes): Promise<void> {
  const { calls } = state();
  const count = calls?.day === today ? calls.count : 0;
  if (count >= callsPerDay) {
    throw new TerminalError({
      reason: "QuotaExceeded",
      userMessage: `asking AWS Cost Explorer: ${count} calls were made today ($${(count * CALL_USD).toFixed(2)}), and no more may be; \`costs.costExplorer.callsPerDay\` in stackling.yaml allows ${callsPerDay}`,
    });
  }
  await note({ calls: { day: today, count: count + 1 } });
}

function opencost(servers: CostsConfig["opencost"]): ActualSource {
  const connect = async ({ token, ...server }: OpencostConfig) => {
    const word = token && (await resolveSecret(token));
    return { ...server, ...(word !== undefined && { token: word }) };
  };
  return {
    ...{ source: "opencost", title: "OpenCost", path: "costs.opencost" },
    ...{ settlesInDays: 1, openSince: lastThreeDays, everyHours: 6, againInHours: 0.25 },
    // All or none: what one cluster says must not be taken for what all say.
    async pull(range) {
      const { opencostCosts } = await import("../../../components/kubernetes/opencost.ts");
      const found = await Promise.all(
        Object.values(servers).map(async (server) => opencostCosts(await connect(server), range)),
      );
      return found.flat();
    },
    async check() {
      const { checkOpencost } = await import("../../../components/kubernetes/opencost.ts");
      const asked = Object.entries(servers).map(async ([name, server]): Promise<Finding> => {
        try {
          await checkOpencost(await connect(server));
          return { ok: true, what: `OpenCost "${name}" answers` };
        } catch (error) {
          const said = error instanceof Error && "userMessage" in error ? String(error.userMessage) : "it failed";
          const remedy = `correct \`costs.opencost.${name}\` in stackling.yaml: its address, or where its token lies`;
          return { ok: false, what: `OpenCost "${name}" at ${new URL(server.url).host}: ${said}`, remedy };
        }
      });
      return Promise.all(asked);
    },
  };
}

/** Branches whose stacks are remembered, the newest: one that is gone is billed for some days more. */
const STACKS_KEPT = 2000;

function neon(
  { organization }: NonNullable<CostsConfig["neon"]>,
  targets: OperatorConfig["targets"],
  prices: Prices,
): ActualSource {
  return {
    ...{ source: "neon", title: "Neon", path: "costs.neon" },
    // Often: a branch that came and went between two looks has no name any more.
    ...{ settlesInDays: 1, openSince: lastThreeDays, everyHours: 1, againInHours: 0.25 },
    async pull(range, { state, note }) {
      const [{ neonCosts }, { options }] = await Promise.all([
        import("../../../components/neon/consumption.ts"),
        import("../../../components/neon/options.ts"),
      ]);
      const chosen = targets.flatMap(({ database }) =>
        database?.driver === "neon" ? [options.parse(database.options)] : [],
      );
      const accounts = new Map(chosen.map((one) => [`${one.apiUrl} ${one.project}`, one]));
      const lines: ActualCost[] = [];
      for (const account of accounts.values()) {
        const known = state().stacks ?? {};
        const found = await neonCosts(account, { ...range, organization, prices: neonPrices(prices), known });
        lines.push(...found.lines);
        await note({ stacks: Object.fromEntries(Object.entries(found.stacks).slice(-STACKS_KEPT)) });
      }
      return lines;
    },
  };
}

function neonPrices(prices: Prices) {
  const listed = (name: string) => prices.listed("Neon", name)?.amount;
  const gbMonth = listed("storage");
  if (gbMonth === undefined) {
    const userMessage = `pricing what branches used: there is no exchange rate of Neon's prices; set \`costs.exchange: {USD: …}\``;
    throw new TerminalError({ reason: "TargetInvalid", userMessage });
  }
  return {
    currency: prices.currency,
    computeUnitHour: (plan: string) => listed(`${plan}-compute`) ?? listed(`${prices.neonPlan}-compute`),
    gbMonth,
  };
}
