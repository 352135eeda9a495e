import type { Logger } from "pino";
import type { RepositoryConfig } from "../config/repository-types.ts";
import { refOf } from "../subject.ts";
import type { Forge } from "./forge.ts";

export interface EnsureWebhooksDeps {
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  /** By its name; undefined for one that is not configured. */
  readonly forge: (name: string) => Pick<Forge, "ensureWebhook"> | undefined;
  readonly logger: Pick<Logger, "info" | "warn">;
}

/**
 * Has every forge that can be made to call us do so, one repository after the other, once at the start:
 * a hook that a person takes away later stays away until then. Never rejects; `doctor` tells how it stands.
 */
export async function ensureWebhooks({ repositories, forge, logger }: EnsureWebhooksDeps): Promise<void> {
  try {
    for (const repository of await repositories()) {
      const found = await forge(repository.forge)?.ensureWebhook?.(refOf(repository));
      if (!found) continue;
      const said = found.remedy === undefined ? found.what : `${found.what} – ${found.remedy}`;
      logger[found.ok ? "info" : "warn"]({ repository: repository.name }, said);
    }
  } catch (error) {
    logger.warn({ err: error }, "the webhooks could not be seen to; the resync finds changes all the same");
  }
}
