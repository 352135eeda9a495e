/** `oauthRelay` of a repository: at which providers its previews' own logins may begin. */
import { z } from "zod";
import { isHttpsOrLoopback } from "./loopback.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import { isPastGateway } from "./target-fit.ts";
import type { TargetConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

export const oauthRelayRule = z
  .record(
    z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, "must be lower-case letters, digits and dashes, a letter first"),
    z
      .url({ protocol: /^https?$/, error: 'must be an address such as "https://github.com/login/oauth/authorize"' })
      .refine(isHttpsOrLoopback, "must begin with https://"),
  )
  .describe(
    "Where the application's own social logins begin, by a name: the provider's authorization endpoint. Its previews share one callback address: see docs/login.md.",
  );

/** Logins that would come back to nobody: the gateway takes them on the preview's own host. */
export function relayMisfits({
  repositories,
  targets,
}: {
  readonly repositories: readonly RepositoryConfig[];
  readonly targets: readonly { readonly target?: TargetConfig }[];
}): readonly Misfit[] {
  return repositories.flatMap(({ path: repository, target, oauthRelay }, index) => {
    const found = targets.find((one) => one.target?.name === target)?.target;
    if (!oauthRelay || !found || !isPastGateway(found)) return [];
    const message = `repository "${repository}": the target "${target}" has \`edge: direct\`, past the gateway to which its logins come back; leave "oauthRelay" out, or take another edge`;
    return [{ path: ["repositories", index], message }];
  });
}
