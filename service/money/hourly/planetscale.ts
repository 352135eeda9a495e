/** A branch at PlanetScale: no public list price of development branches was found, so the operator's own. Pure. */
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { own } from "./services.ts";

export function planetscale({ spec, prices }: HourlyQuestion): readonly Taken[] {
  const price = own(prices.rates(spec.target.name).databaseHour);
  return [
    { meter: "database-compute", resource: "database", quantityPerHour: 1, unit: "hours", price, while: "always" },
  ];
}
