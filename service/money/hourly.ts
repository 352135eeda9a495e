/** What a preview takes for an hour, by driver: adding one is a file and a line here. Pure. */
import type { PreviewSpec } from "../../infra/spec.ts";
import { ecs } from "./hourly/ecs.ts";
import { kubernetes } from "./hourly/kubernetes.ts";
import { local } from "./hourly/local.ts";
import { neon } from "./hourly/neon.ts";
import { ownServer } from "./hourly/own-server.ts";
import { planetscale } from "./hourly/planetscale.ts";
import { awsSecrets } from "./hourly/secrets.ts";
import { supabase } from "./hourly/supabase.ts";
import type { Price, Prices } from "./prices.ts";
import type { EstimateLine } from "./types.ts";

/** The part of a spec that costs something. */
export type CostedSpec = Pick<
  PreviewSpec,
  "target" | "services" | "database" | "urls" | "generatedSecrets" | "grantedSecrets"
>;

export function costedOf(spec: CostedSpec): CostedSpec {
  const { target, services, database, urls, generatedSecrets, grantedSecrets } = spec;
  return { target, services, urls, generatedSecrets, grantedSecrets, ...(database ? { database } : {}) };
}

/** What is taken for an hour, and its price where one is known. */
export interface Taken extends Omit<EstimateLine, "costPerHour"> {
  readonly price: Price | undefined;
}

export interface HourlyQuestion {
  readonly spec: CostedSpec;
  /** Of the driver that is asked, parsed. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly prices: Prices;
}

type Hourly = (question: HourlyQuestion) => readonly Taken[];

/** Drivers that are not here take nothing of their own. */
const drivers: Readonly<Record<"service" | "database" | "secrets", Readonly<Record<string, Hourly>>>> = {
  service: { local, kubernetes, ecs },
  database: { clone: ownServer, empty: ownServer, snapshot: ownServer, neon, supabase, planetscale },
  secrets: { aws: awsSecrets },
};

/** Everything that is taken, with and without a price. */
export function takenByHour(spec: CostedSpec, prices: Prices): readonly Taken[] {
  return (["service", "database", "secrets"] as const).flatMap((port) => {
    const choice = spec.target[port];
    if (!choice || (port === "database" && !spec.database)) return [];
    const hourly = Object.hasOwn(drivers[port], choice.driver) ? drivers[port][choice.driver] : undefined;
    return hourly?.({ spec, options: choice.options, prices }) ?? [];
  });
}

/** What has a price. */
export function hourlyCost(spec: CostedSpec, prices: Prices): readonly EstimateLine[] {
  return takenByHour(spec, prices).flatMap(({ price, ...line }) =>
    price ? [{ ...line, costPerHour: line.quantityPerHour * price.amount }] : [],
  );
}
