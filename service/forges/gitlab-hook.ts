/** The webhook by which a project of GitLab tells us of changes: looked for, and made where the token may. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { parseAnswer } from "./answers.ts";
import type { ForgeFinding } from "./forge.ts";
import type { GitlabClient } from "./gitlab-client.ts";
import { canReach, type HookPlace } from "./hook-place.ts";

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
type Hook = z.infer<typeof hooks>[number];
type Deps = { readonly client: Pick<GitlabClient, "call"> };

/** Makes the project's webhook where there is none and the token may; returns how it stands. Does not reject for an outage. */
export async function ensureGitlabHook(deps: Deps, repository: string, place: HookPlace): Promise<ForgeFinding> {
  const look = await lookForHook(deps, repository, place);
  if (look.kind === "told") return look.finding;
  if (look.found || !place.make) return findingOf(repository, look);
  const action = `making the webhook of "${repository}"`;
  const [secret = ""] = place.secrets;
  try {
    const { status } = await deps.client.call({
      repository,
      method: "POST",
      path: "/hooks",
      body: {
        url: look.url,
        name: "Stackling",
        merge_requests_events: true,
        note_events: true,
        push_events: true,
        enable_ssl_verification: true,
        ...(secret.startsWith("whsec_") ? { signing_token: secret } : { token: secret }),
      },
      action,
      statuses: [400, 403, 404, 422],
    });
    if (status === 201) return { ok: true, what: `the webhook of "${repository}" was made: ${look.url}` };
    return { ok: false, what: `${action}: refused (${status})`, remedy: byHand(look.url) };
  } catch (error) {
    return told(error, action);
  }
}

/** What `doctor` tells of it; makes nothing. */
export async function checkGitlabHook(deps: Deps, repository: string, place: HookPlace): Promise<ForgeFinding> {
  const look = await lookForHook(deps, repository, place);
  return look.kind === "told" ? look.finding : findingOf(repository, look);
}

type Look =
  | { readonly kind: "told"; readonly finding: ForgeFinding }
  | { readonly kind: "looked"; readonly url: string; readonly found: Hook | undefined };

async function lookForHook(
  { client }: Deps,
  repository: string,
  { webhookUrl, serverUrl, secrets }: HookPlace,
): Promise<Look> {
  const polled = `merge requests of "${repository}" are found by the resync alone`;
  if (secrets.length === 0) {
    return toldOk(`${polled}: there are no \`webhookSecrets\``, "name one, and changes are seen at once");
  }
  if (webhookUrl === undefined || !canReach(serverUrl, webhookUrl)) {
    return toldOk(`${polled}: ${serverUrl} cannot call this machine`, "set `url` to an address that it can reach");
  }
  const action = `reading the webhooks of "${repository}"`;
  try {
    const path = "/hooks?per_page=100";
    const { status, data } = await client.call({ repository, path, action, statuses: [403, 404] });
    if (status !== 200) {
      const what = `whether "${repository}" has a webhook is not known: only its maintainers may ask`;
      return toldOk(what, byHand(webhookUrl));
    }
    const ours = parseAnswer(hooks, data, { action, server: "GitLab" }).filter(({ url }) => url === webhookUrl);
    return { kind: "looked", url: webhookUrl, found: ours.find(isUsable) ?? ours[0] };
  } catch (error) {
    return { kind: "told", finding: told(error, action) };
  }
}

function findingOf(repository: string, { url, found }: Extract<Look, { kind: "looked" }>): ForgeFinding {
  if (!found) return { ok: true, what: `"${repository}" has no webhook of its own to ${url}`, remedy: byHand(url) };
  const what = `the webhook of "${repository}" calls ${url}`;
  if (found.alert_status === "disabled") {
    return { ok: false, what: `${what}, but GitLab has switched it off`, remedy: "test it in the project's settings" };
  }
  return isUsable(found)
    ? { ok: true, what }
    : { ok: false, what: `${what}, but not for all it should`, remedy: byHand(url) };
}

function isUsable({ merge_requests_events, note_events, push_events, alert_status }: Hook): boolean {
  return merge_requests_events && note_events && push_events && alert_status !== "disabled";
}

function byHand(url: string): string {
  return `unless its group or the server has one: in the settings of the project or of its group add a webhook to ${url} with one of \`webhookSecrets\` as the secret token, for merge request events, comments and push events`;
}

function toldOk(what: string, remedy: string): Look {
  return { kind: "told", finding: { ok: true, what, remedy } };
}

function told(error: unknown, action: string): ForgeFinding {
  const what = error instanceof StacklingError ? error.userMessage : `${action} failed`;
  return { ok: false, what, remedy: "look at the server and at the token" };
}
