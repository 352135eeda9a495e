/** What OpenCost says that previews' pods cost, by our label. */
import { z } from "zod";
import { type ActualCost, type DayRange, nextDay } from "../actual-cost.ts";
import { StacklingError } from "../errors.ts";
import { ask, type RestApi } from "../rest.ts";

/** `stackling.dev/stack` as Prometheus writes labels; namespaces bear it, and OpenCost gives it to their pods. */
const LABEL = "stackling_dev_stack";

export interface OpencostServer {
  /** Where its API answers. */
  readonly url: string;
  /** Secret. */
  readonly token?: string;
  /** In which it was told to reckon. */
  readonly currency: string;
}

/** What is read of an allocation: OpenCost docs, "API", and its Go type `AllocationJSON`. */
const allocation = z.object({
  name: z.string(),
  window: z.object({ start: z.string() }),
  cpuCoreHours: z.number().catch(0),
  cpuCost: z.number(),
  cpuCostAdjustment: z.number().catch(0),
  ramByteHours: z.number().catch(0),
  ramCost: z.number(),
  ramCostAdjustment: z.number().catch(0),
  pvByteHours: z.number().catch(0),
  pvCost: z.number().catch(0),
  pvCostAdjustment: z.number().catch(0),
  loadBalancerCost: z.number().catch(0),
  loadBalancerCostAdjustment: z.number().catch(0),
  totalCost: z.number(),
});

const answer = z.object({
  code: z.number().optional(),
  data: z.array(z.record(z.string(), allocation).nullable()).nullable(),
});

const GIB = 1024 ** 3;
const MONTH_HOURS = 730;

/** Of all stacks; a day that OpenCost knows nothing of has no line. Rejects with `StacklingError`. */
export async function opencostCosts(server: OpencostServer, range: DayRange): Promise<readonly ActualCost[]> {
  const query = {
    window: `${range.from}T00:00:00Z,${nextDay(range.to)}T00:00:00Z`,
    aggregate: `label:${LABEL}`,
    step: "1d",
    includeIdle: "false",
  };
  const found = await ask(
    apiOf(server),
    { action: "asking OpenCost what pods cost", path: "/allocation", query },
    answer,
  );
  if (!found) throw absent(server);
  return (found.data ?? []).flatMap((step) =>
    Object.values(step ?? {}).flatMap((one) => linesOf(one, server.currency)),
  );
}

/** Asks once. Rejects with `StacklingError` where it does not answer as OpenCost does. */
export async function checkOpencost(server: OpencostServer): Promise<void> {
  const query = { window: "1h", aggregate: "cluster" };
  const at = { ...apiOf(server), patienceMs: 0 };
  const found = await ask(at, { action: "asking OpenCost", path: "/allocation", query }, answer);
  if (!found) throw absent(server);
}

function apiOf({ url, token }: OpencostServer): RestApi {
  return {
    vendor: "OpenCost",
    baseUrl: url.replace(/\/+$/, ""),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    secrets: token === undefined ? [] : [token],
    refused: "TargetInvalid",
  };
}

function absent({ url }: OpencostServer): StacklingError {
  const userMessage = `asking OpenCost: "${url}" has no /allocation; the API is at port 9003, the pages at 9090`;
  return new StacklingError({ reason: "TargetUnreachable", userMessage });
}

function linesOf(found: z.infer<typeof allocation>, currency: string): readonly ActualCost[] {
  // Some versions write `LABEL=VALUE`, others the value alone.
  const stack = found.name.startsWith(`${LABEL}=`) ? found.name.slice(LABEL.length + 1) : found.name;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(stack)) return [];
  const of = { stack, day: found.window.start.slice(0, 10), currency };
  const cpu = found.cpuCost + found.cpuCostAdjustment;
  const memory = found.ramCost + found.ramCostAdjustment;
  const disk = found.pvCost + found.pvCostAdjustment;
  const balancer = found.loadBalancerCost + found.loadBalancerCostAdjustment;
  const rest = found.totalCost - cpu - memory - disk - balancer;
  const lines: ActualCost[] = [
    { ...of, meter: "cpu", unit: "vCPU-hours", quantity: found.cpuCoreHours, cost: cpu },
    { ...of, meter: "memory", unit: "GiB-hours", quantity: found.ramByteHours / GIB, cost: memory },
    { ...of, meter: "disk", unit: "GiB-months", quantity: found.pvByteHours / GIB / MONTH_HOURS, cost: disk },
    { ...of, meter: "load-balancer", unit: "hours", quantity: 0, cost: balancer },
    // Network, GPUs and what is shared; floating point leaves crumbs.
    { ...of, meter: "other", unit: "units", quantity: 0, cost: Math.abs(rest) < 1e-6 ? 0 : rest },
  ];
  return lines.filter(({ cost, quantity }) => cost !== 0 || quantity !== 0);
}
