/** A branch at Supabase: an instance of its own, until the branch is removed. Pure. */
import { z } from "zod";
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { own } from "./services.ts";

const shape = z.object({ instanceSize: z.string().optional().catch(undefined) });

export function supabase({ spec, options, prices }: HourlyQuestion): readonly Taken[] {
  const { instanceSize = "micro" } = shape.parse(options);
  const price = own(
    prices.rates(spec.target.name).databaseHour,
    prices.listed("Supabase", `branch-${instanceSize.replaceAll("_", "-")}`),
  );
  return [
    { meter: "database-compute", resource: "database", quantityPerHour: 1, unit: "hours", price, while: "always" },
  ];
}
