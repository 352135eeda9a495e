/**
 * Daily costs as rows of FOCUS 1.2, the FinOps Open Cost and Usage Specification: https://focus.finops.org/focus-specification/v1-2/.
 * Pure.
 */
import { nextDay } from "../../../components/actual-cost.ts";
import type { DayCost } from "../ledger.ts";
import { firstOfMonth } from "../month.ts";
import type { CostAbout, CostSource, Meter, Unit } from "../types.ts";

export const FOCUS_VERSION = "1.2";

export type FocusValue = string | number | null;

/** As the specification types it; `json`: a flat object as text. */
export type FocusType = "string" | "decimal" | "date-time" | "json";

interface Column {
  readonly name: string;
  readonly type: FocusType;
  readonly value: (row: Source) => FocusValue;
}

interface Source {
  readonly line: DayCost;
  readonly about: CostAbout | undefined;
  /** Whose previews they are: the host under which Stackling is reached. */
  readonly account: string;
}

/** FOCUS' own columns by the alphabet, then ours, which begin with `x_`. */
export const focusColumns: readonly Column[] = [
  { name: "BilledCost", type: "decimal", value: ({ line }) => line.cost },
  { name: "BillingAccountId", type: "string", value: ({ account }) => account },
  { name: "BillingAccountName", type: "string", value: () => null },
  { name: "BillingCurrency", type: "string", value: ({ line }) => line.currency },
  { name: "BillingPeriodEnd", type: "date-time", value: ({ line }) => `${firstOfMonth(line.day, 1)}T00:00:00Z` },
  { name: "BillingPeriodStart", type: "date-time", value: ({ line }) => `${line.day.slice(0, 7)}-01T00:00:00Z` },
  { name: "ChargeCategory", type: "string", value: () => "Usage" },
  { name: "ChargeClass", type: "string", value: () => null },
  { name: "ChargeDescription", type: "string", value: ({ line }) => `${SERVICES[line.meter].name} of ${line.key}` },
  { name: "ChargeFrequency", type: "string", value: () => "Usage-Based" },
  { name: "ChargePeriodEnd", type: "date-time", value: ({ line }) => `${nextDay(line.day)}T00:00:00Z` },
  { name: "ChargePeriodStart", type: "date-time", value: ({ line }) => `${line.day}T00:00:00Z` },
  { name: "ConsumedQuantity", type: "decimal", value: ({ line }) => line.quantity },
  { name: "ConsumedUnit", type: "string", value: ({ line }) => UNITS[line.unit] },
  { name: "ContractedCost", type: "decimal", value: ({ line }) => line.cost },
  { name: "EffectiveCost", type: "decimal", value: ({ line }) => line.cost },
  { name: "InvoiceId", type: "string", value: () => null },
  { name: "InvoiceIssuerName", type: "string", value: ({ line }) => PROVIDERS[line.source] },
  { name: "ListCost", type: "decimal", value: ({ line }) => line.cost },
  { name: "PricingQuantity", type: "decimal", value: ({ line }) => line.quantity },
  { name: "PricingUnit", type: "string", value: ({ line }) => UNITS[line.unit] },
  { name: "ProviderName", type: "string", value: ({ line }) => PROVIDERS[line.source] },
  { name: "PublisherName", type: "string", value: ({ line }) => PROVIDERS[line.source] },
  { name: "ResourceId", type: "string", value: ({ line, account }) => `${account}/${line.key}` },
  { name: "ResourceName", type: "string", value: ({ line }) => line.key },
  { name: "ResourceType", type: "string", value: () => "Preview" },
  { name: "ServiceCategory", type: "string", value: ({ line }) => SERVICES[line.meter].category },
  { name: "ServiceName", type: "string", value: ({ line }) => SERVICES[line.meter].name },
  { name: "ServiceSubcategory", type: "string", value: ({ line }) => SERVICES[line.meter].subcategory },
  { name: "SubAccountId", type: "string", value: ({ line, about }) => repositoryOf(line, about) },
  { name: "SubAccountName", type: "string", value: ({ line, about }) => repositoryOf(line, about) },
  { name: "Tags", type: "json", value: ({ line, about }) => JSON.stringify(tagsOf(line, about)) },
  { name: "x_Author", type: "string", value: ({ about }) => about?.author ?? null },
  { name: "x_Basis", type: "string", value: ({ line }) => (line.source === "metered" ? "estimated" : "actual") },
  { name: "x_CostCenter", type: "string", value: ({ about }) => about?.costCenter ?? null },
  { name: "x_Meter", type: "string", value: ({ line }) => line.meter },
  { name: "x_Owner", type: "string", value: ({ about }) => about?.owner ?? null },
  { name: "x_Preview", type: "string", value: ({ line }) => line.key },
  { name: "x_PullRequest", type: "decimal", value: ({ about }) => about?.number ?? null },
  { name: "x_Repository", type: "string", value: ({ line, about }) => repositoryOf(line, about) },
  { name: "x_Source", type: "string", value: ({ line }) => line.source },
  { name: "x_Target", type: "string", value: ({ about }) => about?.target || null },
  { name: "x_Team", type: "string", value: ({ about }) => about?.team ?? null },
];

/** One row's values in the order of `focusColumns`. */
export type FocusRow = readonly FocusValue[];

/** By day and preview; one by one, for a month of many previews is large. */
export function* focusRows(
  lines: readonly DayCost[],
  { abouts, account }: { readonly abouts: ReadonlyMap<string, CostAbout>; readonly account: string },
): Generator<FocusRow> {
  const order = ({ day, key, meter, source }: DayCost) => `${day} ${key} ${meter} ${source}`;
  for (const line of lines.toSorted((one, other) => (order(one) < order(other) ? -1 : 1))) {
    const row = { line, about: abouts.get(line.key), account };
    yield focusColumns.map(({ value }) => value(row));
  }
}

function repositoryOf({ key }: DayCost, about: CostAbout | undefined): string {
  return about?.repository ?? key;
}

/** As previews' resources bear them, so that a dashboard finds both by one name. */
function tagsOf({ key }: DayCost, about: CostAbout | undefined): Readonly<Record<string, string>> {
  const { repository, number, owner, team, costCenter } = about ?? {};
  const tags = {
    ...{ preview: key, repository, "pull-request": number === undefined ? undefined : String(number) },
    ...{ owner, team, "cost-center": costCenter },
  };
  return Object.fromEntries(Object.entries(tags).flatMap(([tag, value]) => (value ? [[tag, value]] : [])));
}

/** Each service is of one category only: specification, "Service Name". */
const SERVICES: Readonly<
  Record<Meter, { readonly name: string; readonly category: string; readonly subcategory: string }>
> = {
  cpu: { name: "Preview compute", category: "Compute", subcategory: "Containers" },
  memory: { name: "Preview compute", category: "Compute", subcategory: "Containers" },
  disk: { name: "Preview disk", category: "Storage", subcategory: "Block Storage" },
  "load-balancer": { name: "Preview load balancer", category: "Networking", subcategory: "Application Networking" },
  logs: { name: "Preview logs", category: "Management and Governance", subcategory: "Observability" },
  secrets: { name: "Preview secrets", category: "Security", subcategory: "Secret Management" },
  "database-compute": { name: "Preview database", category: "Databases", subcategory: "Relational Databases" },
  "database-storage": { name: "Preview database", category: "Databases", subcategory: "Relational Databases" },
  requests: { name: "Preview requests", category: "Networking", subcategory: "Other (Networking)" },
  other: { name: "Preview, other", category: "Other", subcategory: "Other (Other)" },
};

/** Specification, "Unit Format". */
const UNITS: Readonly<Record<Unit, string>> = {
  "vCPU-hours": "Core-Hours",
  "GiB-hours": "GiB-Hours",
  "GiB-months": "GiB-Months",
  GiB: "GiB",
  hours: "Hours",
  requests: "Requests",
  units: "Units",
};

const PROVIDERS: Readonly<Record<CostSource, string>> = {
  metered: "Stackling",
  aws: "AWS",
  opencost: "OpenCost",
  neon: "Neon",
};
