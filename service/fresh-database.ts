/** `onPush: reset`: which commit a preview's database was made for. Pure. */

import type { Intents } from "./intents.ts";
import type { Verdict } from "./policy.ts";
import type { Preview } from "./status.ts";
import { raised } from "./wishes.ts";

/**
 * What is wished once a commit shall be built: with `onPush: reset` the database's generation is raised once for each
 * commit, however often it is looked at, and also where the store that knew the last one was lost. A redeploy of the
 * same commit keeps its database.
 */
export function wishedForCommit(
  { intents, status }: Pick<Preview, "intents" | "status">,
  { application, commit }: Extract<Verdict, { kind: "present" }>,
): Intents {
  const { databaseFor } = intents;
  if (application.database?.onPush !== "reset") {
    return databaseFor === undefined ? intents : { ...intents, databaseFor: undefined };
  }
  const madeFor = databaseFor ?? status.live?.source.commit ?? commit;
  if (madeFor === commit) return databaseFor === undefined ? { ...intents, databaseFor: commit } : intents;
  const { generations = intents.generations } = raised({ intents }, "database");
  return { ...intents, generations, databaseFor: commit };
}
