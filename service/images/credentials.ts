import type { ImagesConfig } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";
import type { RegistryCredentials, RegistryDeps } from "./registry.ts";

/** Credentials by host as the operator's config refers to them; read anew each time, for many are tokens that expire. */
export function credentialsFrom({ credentials }: Pick<ImagesConfig, "credentials">): RegistryDeps["credentials"] {
  return async (host): Promise<RegistryCredentials | undefined> => {
    const known = Object.hasOwn(credentials, host) ? credentials[host] : undefined;
    return known && { username: known.username, password: await resolveSecret(known.password) };
  };
}
