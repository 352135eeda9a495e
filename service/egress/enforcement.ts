/** Which targets hold previews back from the network, and which only ask them to. */
import { registry } from "../../components/registry.ts";
import type { OperatorConfig, TargetConfig } from "../config/types.ts";

interface Enforcer {
  readonly enforcesEgress?: () => Promise<boolean>;
}

/** As it is where this runs. */
export async function withEnforcement<C extends Pick<OperatorConfig, "targets">>(config: C): Promise<C> {
  const targets = await Promise.all(
    config.targets.map(async (target): Promise<TargetConfig> => {
      const drivers: Readonly<Record<string, () => Promise<Enforcer>>> = registry.service;
      const { driver } = target.service;
      const enforces = Object.hasOwn(drivers, driver) && (await (await drivers[driver]?.())?.enforcesEgress?.());
      return enforces ? { ...target, enforcesEgress: true } : target;
    }),
  );
  return { ...config, targets };
}
