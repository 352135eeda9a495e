/** A database on a server that runs anyway: its disk alone. Pure. */
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { MONTHLY, own } from "./services.ts";

/** On this machine its disk has the price of this machine's; a server elsewhere has none but the operator's. */
export function ownServer({ spec, prices }: HourlyQuestion): readonly Taken[] {
  if (spec.database?.shared) return [];
  const isHere = spec.target.service.driver === "local";
  const rates = prices.rates(spec.target.name, isHere ? "local" : undefined);
  const disk = isHere ? own(rates.diskGibMonth, prices.listed("this machine", "disk")) : undefined;
  const price = own(rates.databaseGibMonth, disk);
  const storage: Taken = {
    ...{ meter: "database-storage", resource: "database", unit: "GiB-months", while: "always", price },
    quantityPerHour: prices.assume.databaseGib * MONTHLY,
  };
  const compute: Taken = {
    ...{ meter: "database-compute", resource: "database", unit: "hours", while: "awake", quantityPerHour: 1 },
    price: own(rates.databaseHour),
  };
  return rates.databaseHour === undefined ? [storage] : [compute, storage];
}
