/** A cluster: what services ask for, at the operator's prices; nobody else knows what a cluster costs. Pure. */
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { lasting, own } from "./services.ts";

export function kubernetes({ spec, prices }: HourlyQuestion): readonly Taken[] {
  const rates = prices.rates(spec.target.name, "kubernetes");
  const [cpuHour, gibHour] = [own(rates.cpuHour), own(rates.gibHour)];
  return lasting(spec).flatMap(({ name: resource, cpu, memoryMiB }): Taken[] => [
    { meter: "cpu", resource, quantityPerHour: cpu, unit: "vCPU-hours", price: cpuHour, while: "awake" },
    { meter: "memory", resource, quantityPerHour: memoryMiB / 1024, unit: "GiB-hours", price: gibHour, while: "awake" },
  ]);
}
