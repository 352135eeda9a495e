/** `costs` of stackling.yaml: prices of the operator's own, and who is asked what previews really cost. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { accountShape } from "../../components/aws/account-shape.ts";
import { listedPrices, type PriceFile, priceFile } from "../money/price-file.ts";
import { placeAll } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import { checkValue, type Misfit } from "./yaml-file.ts";

const amount = z.number().min(0, "must be at least 0");

const rates = z.strictObject({
  cpuHour: amount.optional().describe("One CPU for an hour."),
  gibHour: amount.optional().describe("A GiB of memory for an hour."),
  diskGibMonth: amount.optional().describe("A GiB of disk for a month of 730 hours."),
  databaseHour: amount.optional().describe("A preview's database for an hour that it runs."),
  databaseGibMonth: amount.optional().describe("A GiB of it for a month, awake or asleep."),
  secretMonth: amount.optional().describe("A secret in the vendor's store for a month."),
  logsGib: amount.optional().describe("A GiB of log lines."),
  loadBalancerHour: amount.optional().describe("The load balancer that previews share, for an hour."),
});

/** The operator's own prices, in `currency`; absent: the vendor's list price. */
export type Rates = z.infer<typeof rates>;

const currency = z.string().regex(/^[A-Z]{3}$/, "must be a currency of ISO 4217, such as USD");

const address = z
  .url({ protocol: /^https?$/, error: 'must be an address such as "http://opencost.opencost:9003"' })
  .refine((typed) => {
    const { username, password, search, hash } = new URL(typed);
    return `${username}${password}${search}${hash}` === "";
  }, "must hold no user, query or #; a token goes into `token`");

const name = z.string().regex(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/, "must be lower-case letters, digits and dashes");

const { credentials, assumeRole, endpoint } = accountShape;

export const costsSchema = z
  .strictObject({
    currency: currency.optional().describe("In which amounts are told, such as `EUR`. Default `USD`."),
    exchange: z
      .record(currency, z.number().positive("must be more than 0"))
      .optional()
      .describe(
        "What one unit of another currency is in `currency`, such as `{USD: 0.92}`. List prices and bills in a currency that is not here are left out, and `doctor` says so.",
      ),
    prices: z
      .string()
      .min(1)
      .optional()
      .describe("A price file of your own (relative to this one), before those of Stackling: docs/cost.md."),
    local: rates.optional().describe("Prices of this machine. Default: nominal ones, docs/cost.md."),
    kubernetes: rates.optional().describe("Prices of your clusters. Default: none, and estimates say so."),
    targets: z
      .record(z.string(), rates)
      .optional()
      .describe("Prices by target, before all others: what you pay, where it is not what vendors list."),
    assume: z
      .strictObject({
        logsMibPerHour: amount.optional().describe("Log lines of one service that runs. Default 5."),
        databaseGib: amount.optional().describe("Size of a preview's own database. Default 0.5."),
        diskGib: amount.optional().describe("Files of a preview on this machine. Default 1."),
        previewsPerLoadBalancer: z
          .number()
          .positive("must be more than 0")
          .optional()
          .describe("How many share one, with `edge: direct`. Default 20."),
      })
      .optional()
      .describe("What estimates take for granted, where nothing was measured yet."),
    costExplorer: z
      .strictObject({
        credentials,
        assumeRole,
        endpoint,
        callsPerDay: z
          .int()
          .min(1, "must be at least 1")
          .max(1000, "must be at most 1000")
          .optional()
          .describe("How often AWS is asked at most; it charges $0.01 each time. Default 6."),
      })
      .optional()
      .describe("Asks AWS' bill, by our tags. Default: it is not asked."),
    opencost: z
      .record(
        name,
        z.strictObject({
          url: address.describe("Where its API answers."),
          token: secretReference.optional().describe("Bearer token. Default: none."),
          currency: currency.optional().describe("Of its prices. Default `USD`."),
        }),
      )
      .optional()
      .describe("OpenCost servers that are asked, by a name: one for each cluster. Default: none."),
    neon: z
      .strictObject({
        organization: z.string().min(1).describe("Id of the organization that the projects belong to, `org-…`."),
        plan: z.enum(["launch", "scale"]).optional().describe("Whose prices count. Default `launch`."),
      })
      .optional()
      .describe("Asks Neon what branches used, with the API keys of the targets. Default: it is not asked."),
  })
  .describe("What previews cost: docs/cost.md.");

/** AWS charges it for each call of Cost Explorer's API: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/ */
export const CALL_USD = 0.01;

export interface CostsConfig {
  readonly currency: string;
  readonly exchange: Readonly<Record<string, number>>;
  /** The operator's own price file. */
  readonly prices?: PriceFile;
  readonly local: Rates;
  readonly kubernetes: Rates;
  readonly targets: Readonly<Record<string, Rates>>;
  readonly assume: {
    readonly logsMibPerHour: number;
    readonly databaseGib: number;
    readonly diskGib: number;
    readonly previewsPerLoadBalancer: number;
  };
  readonly neonPlan: "launch" | "scale";
  readonly costExplorer?: CostExplorerConfig;
  readonly opencost: Readonly<Record<string, OpencostConfig>>;
  readonly neon?: { readonly organization: string };
}

type Typed = z.infer<typeof costsSchema>;
export type CostExplorerConfig = Omit<NonNullable<Typed["costExplorer"]>, "callsPerDay"> & {
  readonly callsPerDay: number;
};
export type OpencostConfig = Omit<NonNullable<Typed["opencost"]>[string], "currency"> & { readonly currency: string };

/** What holds where `stackling.yaml` says nothing. */
export const defaultCosts: CostsConfig = {
  currency: "USD",
  exchange: {},
  local: {},
  kubernetes: {},
  targets: {},
  assume: { logsMibPerHour: 5, databaseGib: 0.5, diskGib: 1, previewsPerLoadBalancer: 20 },
  neonPlan: "launch",
  opencost: {},
};

/** As a target is written. */
type Databases = { readonly database?: false | string | { readonly driver: string } | undefined };

function isAtNeon({ database }: Databases): boolean {
  return (typeof database === "object" ? database.driver : database) === "neon";
}

/** Without `costs` there is none to keep: `defaultCosts` holds. */
export async function costsOf(
  typed: Typed | undefined,
  { directory, targets }: { readonly directory: string; readonly targets: Readonly<Record<string, Databases>> },
): Promise<{ readonly costs?: CostsConfig; readonly misfits: readonly Misfit[] }> {
  if (!typed) return { misfits: [] };
  const own = await readOwnPrices(typed.prices, directory);
  const unknown = Object.keys(typed.targets ?? {}).filter((target) => !Object.hasOwn(targets, target));
  const misfits = unknown.map((target): Misfit => {
    const known = Object.keys(targets)
      .map((one) => `"${one}"`)
      .join(", ");
    return { path: ["costs", "targets", target], message: `there is no target "${target}"; known: ${known}` };
  });
  if (typed.neon && !Object.values(targets).some(isAtNeon)) {
    const message = '"costs.neon" has nobody to ask about: no target has the database driver "neon"';
    misfits.push({ path: ["costs", "neon"], message });
  }
  const { costExplorer, opencost = {}, neon } = placeAll(typed, directory);
  const servers = Object.entries(opencost).map(([server, given]) => [server, { currency: "USD", ...given }] as const);
  return {
    costs: {
      ...defaultCosts,
      ...(typed.currency && { currency: typed.currency }),
      exchange: { ...typed.exchange },
      ...(own.prices && { prices: own.prices }),
      local: { ...typed.local },
      kubernetes: { ...typed.kubernetes },
      targets: { ...typed.targets },
      assume: { ...defaultCosts.assume, ...typed.assume },
      neonPlan: neon?.plan ?? defaultCosts.neonPlan,
      ...(costExplorer && { costExplorer: { callsPerDay: 6, ...costExplorer } }),
      opencost: Object.fromEntries(servers),
      ...(neon && { neon: { organization: neon.organization } }),
    },
    misfits: [...misfits, ...own.misfits],
  };
}

async function readOwnPrices(
  typed: string | undefined,
  directory: string,
): Promise<{ readonly prices?: PriceFile; readonly misfits: readonly Misfit[] }> {
  if (typed === undefined) return { misfits: [] };
  const file = resolve(directory, typed);
  const misfit = (words: string) => ({ misfits: [{ path: ["costs", "prices"], message: `"${file}" ${words}` }] });
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return misfit(`cannot be read${code}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return misfit(`is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const checked = checkValue(priceFile, value);
  if ("value" in checked) {
    const faults = faultsIn(checked.value);
    return faults.length === 0 ? { prices: checked.value, misfits: [] } : misfit(faults.join("; "));
  }
  const misfits = checked.misfits.map(({ path, message }): Misfit => {
    return { path: ["costs", "prices"], message: `"${typed}", ${path.join(".") || "whole"}: ${message}` };
  });
  return { misfits };
}

/** What would never be looked up, or counted in other units than it is meant. */
function faultsIn({ vendor, prices }: PriceFile): readonly string[] {
  const listed = listedPrices();
  const ours = listed.filter((file) => file.vendor === vendor);
  if (ours.length === 0) {
    const known = listed.map((file) => `"${file.vendor}"`);
    return [`is of "${vendor}", whose prices nobody asks for; known: ${known.join(", ")}`];
  }
  const units = new Map(ours.flatMap((file) => file.prices.map(({ name, unit }) => [name, unit])));
  return prices.flatMap(({ name, unit }) => {
    const expected = units.get(name);
    return expected === undefined || expected === unit
      ? []
      : [`has "${name}" in ${unit}, which is counted in ${expected}`];
  });
}
