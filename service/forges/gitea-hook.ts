import { z } from "zod";
import type { HookWays } from "./rest-hook.ts";

/** `pull_request` stands for all that begin so: new commits, labels, reviews, and comments on pull requests. */
const HOOK_EVENTS = ["pull_request", "push", "repository"] as const;

const hooks = z.array(
  z.object({
    id: z.int().positive(),
    active: z.boolean(),
    events: z.array(z.string()),
    config: z.object({ url: z.string().optional(), content_type: z.string().optional() }),
  }),
);

/** A repository's webhook at Gitea and Forgejo; see `ensureHook`. */
export const giteaHook: HookWays<z.infer<typeof hooks>[number]> = {
  server: "Gitea",
  pulls: "pull requests",
  keepers: "administrators",
  query: "limit=50",
  shape: hooks,
  urlOf: ({ config }) => config.url,
  isUsable({ active, events, config }) {
    const heard = (event: string) => events.includes(event) || events.includes(`${event}_only`);
    return active && config.content_type === "json" && heard("pull_request") && heard("push");
  },
  body: (url, secret) => ({
    type: "gitea",
    active: true,
    events: [...HOOK_EVENTS],
    config: { url, content_type: "json", secret },
  }),
  byHand: (url) =>
    `unless one of its owner or of the server does: in its settings add a webhook of type Gitea (or Forgejo) to ${url}, POST, application/json, with a secret of \`webhookSecrets\`, for pull requests, their comments and new commits, and pushes`,
};
