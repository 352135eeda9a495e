/** `hooks`: who is told of previews by an outgoing webhook. */
import { z } from "zod";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { SecretReference } from "./types.ts";

export interface HookConfig {
  readonly url: string;
  /** Signs what is sent: base64, as `whsec_…`. */
  readonly secret: SecretReference;
  readonly events: readonly HookEvent[];
}

const EVENTS = ["ready", "failed", "gone"] as const;
export type HookEvent = (typeof EVENTS)[number];

export const hookSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://ci.acme.dev/stackling"' })
    .refine((url) => !URL.canParse(url) || (new URL(url).username === "" && new URL(url).password === ""), {
      error: "must not hold a login: it is shown in findings",
    })
    .describe("Where it is sent, by POST. No redirect is followed."),
  secret: secretReference.describe(
    "Where the secret is that signs it: `whsec_` and base64, as Standard Webhooks has it.",
  ),
  events: z.array(z.enum(EVENTS)).min(1).optional().describe("Default: all of `ready`, `failed`, `gone`."),
});

export function hooksOf(
  typed: Readonly<Record<string, z.infer<typeof hookSchema>>> | undefined,
  directory: string,
): { readonly hooks?: Readonly<Record<string, HookConfig>> } {
  if (!typed) return {};
  const hooks = Object.entries(typed).map(([name, { url, secret, events }]) => [
    name,
    { url, secret: place(secret, directory), events: events ?? EVENTS },
  ]);
  return { hooks: Object.fromEntries(hooks) };
}
