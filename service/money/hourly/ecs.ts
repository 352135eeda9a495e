/** ECS on Fargate, as AWS lists it. Pure. */
import { z } from "zod";
import { fargateSize } from "../../../components/aws/sizes.ts";
import type { HourlyQuestion, Taken } from "../hourly.ts";
import { lasting, MONTHLY, own } from "./services.ts";

/** The options that make a difference; the driver's own schema has checked them. */
const shape = z.object({
  region: z.string().catch(""),
  capacity: z.enum(["spot", "on-demand"]).catch("spot"),
  architecture: z.enum(["X86_64", "ARM64"]).catch("X86_64"),
  publicIp: z.boolean().catch(false),
  logRetentionDays: z.number().catch(7),
  edge: z.unknown().optional(),
});

export function ecs({ spec, options, prices }: HourlyQuestion): readonly Taken[] {
  const { region, capacity, architecture, publicIp, logRetentionDays, edge } = shape.parse(options);
  const rates = prices.rates(spec.target.name);
  const listed = (name: string) => prices.listed("AWS", name, region);
  const kind = `fargate${architecture === "ARM64" ? "-arm" : ""}${capacity === "spot" ? "-spot" : ""}`;
  const cpuHour = own(rates.cpuHour, listed(`${kind}-cpu`));
  const gibHour = own(rates.gibHour, listed(`${kind}-memory`));
  const logsGib = own(rates.logsGib, listed("logs-ingested"));
  const services = lasting(spec);
  const perService = services.flatMap(({ name: resource, ...wanted }): Taken[] => {
    // One that is too large is refused before it costs anything.
    const size = fargateSize(wanted) ?? { cpuUnits: wanted.cpu * 1024, memoryMiB: wanted.memoryMiB };
    const awake = { resource, while: "awake" } as const;
    return [
      { ...awake, meter: "cpu", quantityPerHour: size.cpuUnits / 1024, unit: "vCPU-hours", price: cpuHour },
      { ...awake, meter: "memory", quantityPerHour: size.memoryMiB / 1024, unit: "GiB-hours", price: gibHour },
      { ...awake, meter: "logs", quantityPerHour: logsPerHour(prices), unit: "GiB", price: logsGib },
      ...(publicIp
        ? [{ ...awake, meter: "other", quantityPerHour: 1, unit: "hours", price: listed("public-ipv4") } as const]
        : []),
    ];
  });
  const stored: Taken = {
    ...{ meter: "logs", unit: "GiB-months", while: "awake", price: listed("logs-stored") },
    quantityPerHour: services.length * logsPerHour(prices) * 24 * logRetentionDays * MONTHLY,
  };
  return [...perService, stored, ...secretsOf({ spec, options, prices }), ...(isDirect(edge) ? [share()] : [])];

  /** Its rules stay while it sleeps. */
  function share(): Taken {
    const [hour, capacityUnit] = [listed("load-balancer"), listed("load-balancer-capacity")];
    const listedHour = hour && capacityUnit && { ...hour, amount: hour.amount + capacityUnit.amount };
    return {
      ...{ meter: "load-balancer", unit: "hours", while: "always" },
      quantityPerHour: 1 / prices.assume.previewsPerLoadBalancer,
      price: own(rates.loadBalancerHour, listedHour),
    };
  }
}

function logsPerHour({ assume }: HourlyQuestion["prices"]): number {
  return assume.logsMibPerHour / 1024;
}

function isDirect(edge: unknown): boolean {
  return typeof edge === "object" && edge !== null && "direct" in edge;
}

/** One secret holds all hidden settings of a preview: components/aws/settings.ts. */
function secretsOf({ spec, options, prices }: HourlyQuestion): readonly Taken[] {
  const isHidden = Boolean(spec.database) || spec.generatedSecrets.length + spec.grantedSecrets.length > 0;
  if (!isHidden) return [];
  const listed = prices.listed("AWS", "secret", String(options.region));
  const price = own(prices.rates(spec.target.name).secretMonth, listed);
  return [{ meter: "secrets", quantityPerHour: MONTHLY, unit: "units", price, while: "always" }];
}
