import { type Kysely, sql } from "kysely";
import type { Tables } from "./tables.ts";

export interface DeliveryStore {
  /** ISO 8601 of the last delivery about a pull request, by the name of its repository; of the last days alone. */
  lastDeliveries(): Promise<Readonly<Record<string, string>>>;
}

export function deliveryStore({ db }: { readonly db: Kysely<Tables> }): DeliveryStore {
  return {
    async lastDeliveries() {
      const { rows } = await sql<{ name: string; at: Date }>`
        select split_part(key, '#', 1) as name, max(at) as at from delivery where key is not null group by 1`.execute(
        db,
      );
      return Object.fromEntries(rows.map(({ name, at }) => [name, at.toISOString()]));
    },
  };
}
