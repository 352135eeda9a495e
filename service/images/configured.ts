import { join } from "node:path";
import type { Finding } from "../../components/ports.ts";
import type { ImagesConfig } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { createSignatures, type Signatures } from "./signatures.ts";
import type { ReadTrust } from "./sigstore.ts";

/** The registry client with the operator's credentials, read anew each time: many are tokens that expire. */
export function configuredRegistry({ credentials }: Pick<ImagesConfig, "credentials">): Registry {
  return createRegistry({
    credentials: async (host) => {
      const known = Object.hasOwn(credentials, host) ? credentials[host] : undefined;
      return known && { username: known.username, password: await resolveSecret(known.password) };
    },
  });
}

/** What every image is held against before it runs; undefined where none needs a signature. */
export function configuredSignatures(
  images: Pick<ImagesConfig, "credentials" | "signatures">,
  { dataDir }: { readonly dataDir: string },
): Signatures | undefined {
  if (!images.signatures) return undefined;
  let loading: Promise<ReadTrust> | undefined;
  const load = async () =>
    (await import("./sigstore.ts")).createTrust({ cacheDir: join(dataDir, "cache"), now: () => new Date() });
  return createSignatures({
    registry: configuredRegistry(images),
    rules: images.signatures,
    trust: async (signer) => {
      loading ??= load();
      return (await loading)(signer);
    },
  });
}

/** What `doctor` says of every registry that credentials are configured for. */
export function checkRegistries(images: Pick<ImagesConfig, "credentials">): Promise<readonly Finding[]> {
  const registry = configuredRegistry(images);
  return Promise.all(Object.keys(images.credentials).map((host) => registry.check(host)));
}
