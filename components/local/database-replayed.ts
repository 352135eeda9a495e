/** A standby knows a role only when it has replayed its making. */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { StacklingError } from "../errors.ts";
import { withClient } from "./database-client.ts";
import type { ResourceContext } from "./resource.ts";

/** A standby that is further behind is broken. */
const REPLAYED_WITHIN_MS = 60_000;
const REPLAY_LOOK_MS = 250;

/** Resolves once the login of `url` is let in at the standby `at`; at once where there is none. */
export async function untilReplayed(
  { signal }: Pick<ResourceContext, "signal">,
  at: string | undefined,
  url: string,
): Promise<void> {
  if (at === undefined) return;
  const deadline = performance.now() + REPLAYED_WITHIN_MS;
  for (;;) {
    try {
      return void (await withClient(url, (client) => client.query("SELECT 1"), signal));
    } catch (error) {
      const unknown = error instanceof pg.DatabaseError && /^(28|42501)/.test(error.code ?? "");
      if (!unknown) throw unreached(at, error);
      if (performance.now() > deadline) throw unreached(at, error);
      await delay(REPLAY_LOOK_MS, undefined, { signal });
    }
  }
}

function unreached(at: string, cause: unknown): StacklingError {
  const userMessage = `reaching the database at "${at}": the preview's role cannot log in there; is it a standby of the server, and does it follow?`;
  return new StacklingError({ reason: "DatabaseFailed", userMessage, cause });
}
