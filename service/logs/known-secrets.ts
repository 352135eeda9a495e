import { secretReference } from "../config/secret-schema.ts";
import type { SecretReference } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";

/**
 * Values of everything that the config refers to by environment variable or file, so that the log knows what never
 * stands in it. What cannot be read now is not there to be told.
 */
export async function knownSecrets(config: object): Promise<readonly string[]> {
  const found = references(config).map((reference) => resolveSecret(reference).catch(() => undefined));
  const values = (await Promise.all(found)).flatMap((value) => value ?? []);
  return [...values, ...passwordsIn(...values)];
}

function references(value: unknown): readonly SecretReference[] {
  if (typeof value !== "object" || value === null) return [];
  const { data } = secretReference.safeParse(value);
  return data ? [data] : Object.values(value).flatMap(references);
}

/** What a program may tell of an address that holds a login: all of it, or the password alone. */
function passwordsIn(...addresses: readonly (string | undefined)[]): readonly string[] {
  return addresses.flatMap((address) => {
    const password = address !== undefined && URL.canParse(address) ? new URL(address).password : "";
    return password === "" ? [] : [password, decoded(password)];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
