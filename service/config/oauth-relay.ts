/** `oauthRelay` of a repository: at which providers its previews' own logins may begin. */
import { z } from "zod";
import { isHttpsOrLoopback } from "./loopback.ts";

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
