/** Which targets hold previews back from the network, and which only ask them to. */
import { registry } from "../../components/registry.ts";
import type { OperatorConfig, TargetConfig } from "../config/types.ts";
import { within } from "../within.ts";

interface Enforcer {
  readonly enforcesEgress?: (options: never) => Promise<boolean>;
}

/** A start waits for no cloud. */
const TOLD_WITHIN_MS = 5_000;

/** As it is where this runs. */
export async function withEnforcement<C extends Pick<OperatorConfig, "targets">>(config: C): Promise<C> {
  const targets = await Promise.all(
    config.targets.map(async (target): Promise<TargetConfig> => {
      const drivers: Readonly<Record<string, () => Promise<Enforcer>>> = registry.service;
      const { driver } = target.service;
      const found = Object.hasOwn(drivers, driver) ? await drivers[driver]?.() : undefined;
      // The driver's own schema parsed them.
      const told = found?.enforcesEgress?.(target.service.options as never);
      const enforces = told && (await within(TOLD_WITHIN_MS, told, false));
      return enforces ? { ...target, enforcesEgress: true } : target;
    }),
  );
  return { ...config, targets };
}
