/** Credentials that forges were given from the pages, and deliveries that were asked for again: the same for every replica. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Tables } from "./tables.ts";

export interface SealedCredential {
  /** See `sealer`. */
  readonly sealed: string;
  /** ISO 8601 UTC */
  readonly at: string;
}

export interface ForgeCredentialStore {
  /** By the forge's name in the config. */
  forgeCredential(forge: string): Promise<SealedCredential | undefined>;
  /** In the place of the one before. */
  keepForgeCredential(forge: string, sealed: string): Promise<void>;
  /**
   * Changes what is kept, one replica at a time: whoever comes next is given what the one before left. What `change`
   * rejects with leaves it as it was.
   */
  changeForgeCredential(forge: string, change: (sealed: string | undefined) => Promise<string>): Promise<void>;
  /** Of these deliveries, those that were not asked for again before; from now on they count as asked for. */
  claimRedeliveries(forge: string, deliveryIds: readonly string[]): Promise<readonly string[]>;
  /** What was claimed, and could not be asked for, may be claimed again. */
  unclaimRedeliveries(forge: string, deliveryIds: readonly string[]): Promise<void>;
}

export const FORGE_CREDENTIALS: readonly string[] = [
  `create table forge_credential (forge text primary key, sealed text not null, at timestamptz not null default now())`,
  `create table redelivery (
     forge text not null, delivery_id text not null, at timestamptz not null default now(),
     primary key (forge, delivery_id))`,
];

/** GitHub keeps deliveries for three days. */
const KEPT_DAYS = 4;

export function forgeCredentialStore({ db }: { readonly db: Kysely<Tables> }): ForgeCredentialStore {
  return {
    async forgeCredential(forge) {
      const row = await db.selectFrom("forge_credential").selectAll().where("forge", "=", forge).executeTakeFirst();
      return row && { sealed: row.sealed, at: row.at.toISOString() };
    },
    async keepForgeCredential(forge, sealed) {
      await sql`
        insert into forge_credential (forge, sealed, at) values (${forge}, ${sealed}, clock_timestamp())
        on conflict (forge) do update set sealed = excluded.sealed, at = excluded.at`.execute(db);
    },
    async changeForgeCredential(forge, change) {
      await db.transaction().execute(async (held) => {
        await sql`select pg_advisory_xact_lock(hashtextextended(${`forge credential ${forge}`}, 0))`.execute(held);
        const row = await held.selectFrom("forge_credential").selectAll().where("forge", "=", forge).executeTakeFirst();
        const sealed = await change(row?.sealed);
        if (sealed !== row?.sealed) await forgeCredentialStore({ db: held }).keepForgeCredential(forge, sealed);
      });
    },
    async claimRedeliveries(forge, deliveryIds) {
      await sql`delete from redelivery where at < now() - make_interval(days => ${KEPT_DAYS})`.execute(db);
      const { rows } = await sql<{ id: string }>`
        insert into redelivery (forge, delivery_id)
        select ${forge}, id from unnest(${[...deliveryIds].sort()}::text[]) as id
        on conflict do nothing returning delivery_id as id`.execute(db);
      return rows.map(({ id }) => id);
    },
    async unclaimRedeliveries(forge, deliveryIds) {
      await sql`
        delete from redelivery where forge = ${forge} and delivery_id = any(${[...deliveryIds]}::text[])`.execute(db);
    },
  };
}

export interface Sealer {
  seal(text: string): string;
  /** Undefined when it was sealed with another secret, or is not what was sealed. */
  open(sealed: string): string | undefined;
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts with what every replica knows and the store does not: a dump of it gives nothing away. */
export function sealer(secret: string): Sealer {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "stackling sealed credentials", 32));
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, "base64");
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const cipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      cipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      try {
        const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
        return Buffer.concat([cipher.update(body), cipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}
