/** Secrets Manager: a secret of its own for each that the application names. Pure. */
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { MONTHLY, own } from "./services.ts";

export function awsSecrets({ spec, options, prices }: HourlyQuestion): readonly Taken[] {
  const count = spec.generatedSecrets.length + spec.grantedSecrets.length;
  if (count === 0) return [];
  const listed = prices.listed("AWS", "secret", String(options.region));
  const price = own(prices.rates(spec.target.name).secretMonth, listed);
  return [{ meter: "secrets", quantityPerHour: count * MONTHLY, unit: "units", price, while: "always" }];
}
