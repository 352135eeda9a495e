/** A branch at Neon: its smallest compute while the preview is awake, and what was written to it. Pure. */
import { z } from "zod";
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { MONTHLY, own } from "./services.ts";

const shape = z.object({ minComputeUnits: z.number().catch(0.25) });

/** A GiB is more than the GB (10⁹ bytes) that Neon lists. */
const GB_PER_GIB = 1.073741824;

export function neon({ spec, options, prices }: HourlyQuestion): readonly Taken[] {
  const { minComputeUnits } = shape.parse(options);
  const rates = prices.rates(spec.target.name);
  const storage = prices.listed("Neon", "storage");
  const perGib = storage && { ...storage, amount: storage.amount * GB_PER_GIB };
  const compute = { meter: "database-compute", resource: "database", while: "awake" } as const;
  return [
    rates.databaseHour === undefined
      ? {
          ...compute,
          quantityPerHour: minComputeUnits,
          unit: "units",
          price: prices.listed("Neon", `${prices.neonPlan}-compute`),
        }
      : { ...compute, quantityPerHour: 1, unit: "hours", price: own(rates.databaseHour) },
    {
      ...{ meter: "database-storage", resource: "database", unit: "GiB-months", while: "always" },
      quantityPerHour: prices.assume.databaseGib * MONTHLY,
      price: own(rates.databaseGibMonth, perGib),
    },
  ];
}
