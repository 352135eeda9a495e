/** `prometheus` of stackling.yaml: servers that gates may ask. */
import { z } from "zod";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { OperatorConfig } from "./types.ts";

export const prometheusSchema = z
  .record(
    z.string().regex(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/, "must be lower-case letters, digits and dashes"),
    z.strictObject({
      url: z
        .url({ protocol: /^https?$/, error: 'must be an address such as "https://prometheus.acme.dev"' })
        .refine((typed) => {
          const { username, password, search, hash } = new URL(typed);
          return `${username}${password}${search}${hash}` === "";
        }, "must hold no user, query or #; a token goes into `token`")
        .describe("Address of the server, with its path prefix if it has one."),
      token: secretReference.optional().describe("Bearer token, read anew at every query. Default: none."),
    }),
  )
  .describe(
    "Prometheus servers that error rate gates of `preview.yaml` may ask, by name. Whoever writes a gate can ask them for any number. Default: none.",
  );

export function prometheusOf(
  typed: z.infer<typeof prometheusSchema> | undefined,
  directory: string,
): Pick<OperatorConfig, "prometheus"> {
  if (!typed) return {};
  const servers = Object.entries(typed).map(([name, { url, token }]) => [
    name,
    { url, ...(token ? { token: place(token, directory) } : {}) },
  ]);
  return { prometheus: Object.fromEntries(servers) };
}
