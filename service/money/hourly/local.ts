/** This machine: what services ask for, until what they used is measured. Pure. */
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { localPrices } from "../local-prices.ts";
import { lasting, MONTHLY } from "./services.ts";

export function local({ spec, prices }: HourlyQuestion): readonly Taken[] {
  const { cpuHour, gibHour, diskGibMonth } = localPrices(prices, spec.target.name);
  const services = lasting(spec).flatMap(({ name: resource, cpu, memoryMiB }): Taken[] => [
    { meter: "cpu", resource, quantityPerHour: cpu, unit: "vCPU-hours", price: cpuHour, while: "awake" },
    { meter: "memory", resource, quantityPerHour: memoryMiB / 1024, unit: "GiB-hours", price: gibHour, while: "awake" },
  ]);
  const files: Taken = {
    ...{ meter: "disk", unit: "GiB-months", while: "always", price: diskGibMonth },
    quantityPerHour: prices.assume.diskGib * MONTHLY,
  };
  return [...services, files];
}
