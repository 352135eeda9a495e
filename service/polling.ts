/** Said at the start: which forges cannot call us, so that nobody waits for what comes only with the resync. */
import type { Logger } from "pino";
import type { OperatorConfig } from "./config/types.ts";
import type { Forge } from "./forges/forge.ts";

export interface PollingDeps {
  readonly forges: ReadonlyMap<string, Pick<Forge, "name" | "isCalled">>;
  readonly config: Pick<OperatorConfig, "lifecycle">;
  readonly logger: Pick<Logger, "info">;
}

/** Never rejects; the store may be away by now. */
export async function sayPolling({ forges, config, logger }: PollingDeps): Promise<void> {
  for (const [forge, { isCalled }] of forges) {
    if (!isCalled || (await isCalled().catch(() => true))) continue;
    const seconds = config.lifecycle.resyncSeconds;
    logger.info({ forge }, `no webhooks come from "${forge}": polling only, every ${seconds} s`);
  }
}
