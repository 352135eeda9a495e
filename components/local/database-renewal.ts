/** Logins of previews end by themselves unless somebody puts that off: should Stackling be gone for ever, they go too. */
import pg from "pg";
import { z } from "zod";
import { parseMarker } from "./database-names.ts";
import { validUntil } from "./database-server.ts";

/** Of every driver whose logins are roles of a PostgreSQL server. */
export const renewalOptions = {
  credentialHours: z
    .int()
    .min(0)
    .max(8_760)
    .optional()
    .describe(
      "Hours after which a preview's login ends unless it is renewed, as it is, well before, while the preview lives. 0: it is valid until the preview is removed. Default: 24.",
    ),
};

export interface RenewalOptions {
  readonly credentialHours?: number | undefined;
}

/** Undefined: it does not end by itself. */
export function hoursOf({ credentialHours = 24 }: RenewalOptions): number | undefined {
  return credentialHours === 0 ? undefined : credentialHours;
}

/**
 * Makes every login of a stack that is not revoked valid from now on for so many hours. It is the server's clock that
 * counts. Resolves with the end, ISO 8601; undefined where it has none, or there is no login.
 */
export async function renewLogins(
  client: pg.Client,
  stack: string,
  hours: number | undefined,
): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string; comment: string }>(
    `SELECT rolname AS name, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles
     WHERE rolcanlogin AND position($1 IN shobj_description(oid, 'pg_authid')) > 0`,
    [stack],
  );
  const logins = rows.filter(({ comment }) => parseMarker(comment)?.stack === stack);
  if (logins.length === 0) return undefined;
  const end = await validUntil(client, hours);
  const literal = pg.escapeLiteral(end ?? "infinity");
  for (const { name } of logins) {
    await client.query(`ALTER ROLE ${pg.escapeIdentifier(name)} VALID UNTIL ${literal}`);
  }
  return end;
}
