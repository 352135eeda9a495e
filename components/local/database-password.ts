import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** PostgreSQL's own number of rounds; the password is 24 random bytes, so more would add nothing. */
const ITERATIONS = 4096;

/** 32 characters that need no escaping in a URL. */
export function randomPassword(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * What `CREATE ROLE … PASSWORD` takes in place of the password, so that it appears in no statement,
 * log or `pg_stat_statements`. Format: PostgreSQL documentation, "pg_authid", `rolpassword`; RFC 5803.
 */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
