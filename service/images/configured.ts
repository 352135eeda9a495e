import type { Finding } from "../../components/ports.ts";
import type { ImagesConfig } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";
import { createRegistry, type Registry } from "./registry.ts";

/** The registry client with the operator's credentials, read anew each time: many are tokens that expire. */
export function configuredRegistry({ credentials }: Pick<ImagesConfig, "credentials">): Registry {
  return createRegistry({
    credentials: async (host) => {
      const known = Object.hasOwn(credentials, host) ? credentials[host] : undefined;
      return known && { username: known.username, password: await resolveSecret(known.password) };
    },
  });
}

/** What `doctor` says of every registry that credentials are configured for. */
export function checkRegistries(images: Pick<ImagesConfig, "credentials">): Promise<readonly Finding[]> {
  const registry = configuredRegistry(images);
  return Promise.all(Object.keys(images.credentials).map((host) => registry.check(host)));
}
