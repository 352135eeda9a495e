/** The webhook by which a repository of Gitea tells us of changes: looked for, and made where the token may. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { parseAnswer } from "./answers.ts";
import type { ForgeFinding } from "./forge.ts";
import type { GiteaClient } from "./gitea-client.ts";
import { canReach, type HookPlace } from "./hook-place.ts";

/** `pull_request` stands for all that begin so: new commits, labels, reviews, and comments on pull requests. */
export const HOOK_EVENTS = ["pull_request", "push", "repository"] as const;

const hooks = z.array(
  z.object({
    id: z.int().positive(),
    active: z.boolean(),
    events: z.array(z.string()),
    config: z.object({ url: z.string().optional(), content_type: z.string().optional() }),
  }),
);

/** Makes the repository's webhook where there is none and the token may; returns how it stands. Does not reject for an outage. */
export async function ensureGiteaHook(
  deps: { readonly client: Pick<GiteaClient, "call"> },
  repository: string,
  place: HookPlace,
): Promise<ForgeFinding> {
  const look = await lookForHook(deps, repository, place);
  if (look.kind === "told") return look.finding;
  if (look.found || !place.make) return findingOf(repository, place, look.found);
  const [secret] = place.secrets;
  const action = `making the webhook of "${repository}"`;
  try {
    const { status } = await deps.client.call({
      repository,
      method: "POST",
      path: "/hooks",
      body: {
        type: "gitea",
        active: true,
        events: [...HOOK_EVENTS],
        config: { url: look.url, content_type: "json", secret },
      },
      action,
      statuses: [403, 404, 422],
    });
    if (status === 201) return { ok: true, what: `the webhook of "${repository}" was made: ${look.url}` };
    return { ok: false, what: `${action}: refused (${status})`, remedy: byHand(look.url) };
  } catch (error) {
    return told(error, action);
  }
}

/** What `doctor` tells of it; makes nothing. */
export async function checkGiteaHook(
  deps: { readonly client: Pick<GiteaClient, "call"> },
  repository: string,
  place: HookPlace,
): Promise<ForgeFinding> {
  const look = await lookForHook(deps, repository, place);
  return look.kind === "told" ? look.finding : findingOf(repository, place, look.found);
}

type Look =
  | { readonly kind: "told"; readonly finding: ForgeFinding }
  | { readonly kind: "looked"; readonly url: string; readonly found: z.infer<typeof hooks>[number] | undefined };

async function lookForHook(
  { client }: { readonly client: Pick<GiteaClient, "call"> },
  repository: string,
  { webhookUrl, serverUrl, secrets }: HookPlace,
): Promise<Look> {
  const polled = `pull requests of "${repository}" are found by the resync alone`;
  if (secrets.length === 0) {
    return toldOk(`${polled}: there are no \`webhookSecrets\``, "name one, and changes are seen at once");
  }
  if (webhookUrl === undefined || !canReach(serverUrl, webhookUrl)) {
    return toldOk(`${polled}: ${serverUrl} cannot call this machine`, "set `url` to an address that it can reach");
  }
  const action = `reading the webhooks of "${repository}"`;
  try {
    const { status, data } = await client.call({ repository, path: "/hooks?limit=50", action, statuses: [403, 404] });
    if (status !== 200) {
      return toldOk(
        `whether "${repository}" has a webhook is not known: only its administrators may ask`,
        byHand(webhookUrl),
      );
    }
    const shown = parseAnswer(hooks, data, { action, server: "Gitea" });
    const ours = shown.filter(({ config }) => config.url === webhookUrl);
    return { kind: "looked", url: webhookUrl, found: ours.find(isUsable) ?? ours[0] };
  } catch (error) {
    return { kind: "told", finding: told(error, action) };
  }
}

function findingOf(
  repository: string,
  { webhookUrl = "" }: HookPlace,
  hook: z.infer<typeof hooks>[number] | undefined,
): ForgeFinding {
  if (!hook) {
    return { ok: true, what: `"${repository}" has no webhook of its own to ${webhookUrl}`, remedy: byHand(webhookUrl) };
  }
  const what = `the webhook of "${repository}" calls ${webhookUrl}`;
  if (isUsable(hook)) return { ok: true, what };
  return { ok: false, what: `${what}, but not for all it should`, remedy: byHand(webhookUrl) };
}

function isUsable({ active, events, config }: z.infer<typeof hooks>[number]): boolean {
  const heard = (event: string) => events.includes(event) || events.includes(`${event}_only`);
  return active && config.content_type === "json" && heard("pull_request") && heard("push");
}

function byHand(url: string): string {
  return `unless one of its owner or of the server does: in its settings add a webhook of type Gitea (or Forgejo) to ${url}, POST, application/json, with a secret of \`webhookSecrets\`, for pull requests, their comments and new commits, and pushes`;
}

function toldOk(what: string, remedy: string): Look {
  return { kind: "told", finding: { ok: true, what, remedy } };
}

function told(error: unknown, action: string): ForgeFinding {
  const what = error instanceof StacklingError ? error.userMessage : `${action} failed`;
  return { ok: false, what, remedy: "look at the server and at the token" };
}
