import { z } from "zod";
import type { HookWays } from "./rest-hook.ts";

const hooks = z.array(
  z.object({
    id: z.int().positive(),
    url: z.string(),
    merge_requests_events: z.boolean(),
    note_events: z.boolean(),
    push_events: z.boolean(),
    /** `disabled`, after it failed too often. */
    alert_status: z.string().optional(),
  }),
);

/** A project's webhook at GitLab; see `ensureHook`. */
export const gitlabHook: HookWays<z.infer<typeof hooks>[number]> = {
  server: "GitLab",
  pulls: "merge requests",
  keepers: "maintainers",
  query: "per_page=100",
  shape: hooks,
  urlOf: ({ url }) => url,
  isUsable: ({ merge_requests_events, note_events, push_events, alert_status }) =>
    merge_requests_events && note_events && push_events && alert_status !== "disabled",
  fault: ({ alert_status }) =>
    alert_status === "disabled"
      ? { what: "GitLab has switched it off", remedy: "test it in the project's settings" }
      : undefined,
  body: (url, secret) => ({
    url,
    name: "Stackling",
    merge_requests_events: true,
    note_events: true,
    push_events: true,
    enable_ssl_verification: true,
    ...(secret.startsWith("whsec_") ? { signing_token: secret } : { token: secret }),
  }),
  byHand: (url) =>
    `unless its group or the server has one: in the settings of the project or of its group add a webhook to ${url} with one of \`webhookSecrets\` as the secret token, for merge request events, comments and push events`,
};
