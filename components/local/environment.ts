/** The environment of an application's commands, built from nothing: they are untrusted, and ours holds secrets. */
import type { PreviewLayout } from "./layout.ts";

/** Stack name, in every process of a preview. */
export const PREVIEW_MARK = "STACKLING_PREVIEW";

/**
 * Folder on whose behalf a process runs (of a release, a checkout, …), so that it is found again
 * whatever became of its parents, and not taken for that of another Stackling on this machine.
 */
export const OWNER_MARK = "STACKLING_OWNER";

/** What a machine needs to reach the network from behind its operator's proxy or with its own authorities. */
const NETWORK = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/** The operator's own environment, of which the network variables and PATH are taken. */
type Ambient = Readonly<Record<string, string | undefined>>;

export function baseEnvironment(
  { stack, preview, node }: { readonly stack: string; readonly preview: PreviewLayout; readonly node: string },
  ambient: Ambient = process.env,
): Record<string, string> {
  return {
    ...networkEnvironment(ambient),
    PATH: `${node}:${ambient.PATH ?? "/usr/local/bin:/usr/bin:/bin"}`,
    HOME: preview.home,
    TMPDIR: preview.tmp,
    LANG: "C.UTF-8",
    [PREVIEW_MARK]: stack,
  };
}

/** A proxy with a credential in it (`http://user:password@proxy`, also without `http://`) stays with the operator. */
export function networkEnvironment(ambient: Ambient): Record<string, string> {
  const names = NETWORK.flatMap((name) => [name, name.toLowerCase()]);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = ambient[name];
      return value && !(/_proxy$/i.test(name) && value.includes("@")) ? [[name, value]] : [];
    }),
  );
}
