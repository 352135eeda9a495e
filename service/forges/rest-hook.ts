/** The webhook by which a repository tells us of changes, for forges whose account may look for it and make it. */
import type { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { parseAnswer } from "./answers.ts";
import type { ForgeFinding } from "./forge.ts";
import { canReach, type HookPlace } from "./hook-place.ts";

/** What one forge's webhooks are like; all of it below the repository's `/hooks`. */
export interface HookWays<Hook> {
  /** As people call it. */
  readonly server: string;
  /** `pull requests` */
  readonly pulls: string;
  /** Who may look for it: `administrators`. */
  readonly keepers: string;
  /** Asks for as many as there may be. */
  readonly query: string;
  readonly shape: z.ZodType<readonly Hook[]>;
  readonly urlOf: (hook: Hook) => string | undefined;
  readonly isUsable: (hook: Hook) => boolean;
  /** Why it does not call although it is usable else, with the way out. */
  readonly fault?: (hook: Hook) => { readonly what: string; readonly remedy: string } | undefined;
  /** What makes it. */
  readonly body: (url: string, secret: string) => Readonly<Record<string, unknown>>;
  /** How a person makes it. */
  readonly byHand: (url: string) => string;
}

export interface HookClient {
  call(call: {
    readonly repository: string;
    readonly method?: "POST";
    readonly path: string;
    readonly body?: Readonly<Record<string, unknown>>;
    readonly action: string;
    /** Answers and no errors. */
    readonly statuses: readonly number[];
  }): Promise<{ readonly status: number; readonly data: unknown }>;
}

interface HookDeps<Hook> {
  readonly client: HookClient;
  readonly ways: HookWays<Hook>;
}

/** Makes the repository's webhook where there is none and the token may; returns how it stands. Does not reject for an outage. */
export async function ensureHook<Hook>(
  deps: HookDeps<Hook>,
  repository: string,
  place: HookPlace,
): Promise<ForgeFinding> {
  const look = await lookForHook(deps, repository, place);
  if (look.kind === "told") return look.finding;
  if (look.found || !place.make) return findingOf(deps.ways, repository, look);
  const [secret = ""] = place.secrets;
  const action = `making the webhook of "${repository}"`;
  try {
    const body = deps.ways.body(look.url, secret);
    const statuses = [400, 403, 404, 422];
    const { status } = await deps.client.call({ repository, method: "POST", path: "/hooks", body, action, statuses });
    if (status === 201) return { ok: true, what: `the webhook of "${repository}" was made: ${look.url}` };
    return { ok: false, what: `${action}: refused (${status})`, remedy: deps.ways.byHand(look.url) };
  } catch (error) {
    return told(error, action);
  }
}

/** What `doctor` tells of it; makes nothing. */
export async function checkHook<Hook>(
  deps: HookDeps<Hook>,
  repository: string,
  place: HookPlace,
): Promise<ForgeFinding> {
  const look = await lookForHook(deps, repository, place);
  return look.kind === "told" ? look.finding : findingOf(deps.ways, repository, look);
}

interface Looked<Hook> {
  readonly kind: "looked";
  readonly url: string;
  readonly found: Hook | undefined;
}

async function lookForHook<Hook>(
  { client, ways }: HookDeps<Hook>,
  repository: string,
  { webhookUrl, serverUrl, secrets }: HookPlace,
): Promise<Looked<Hook> | { readonly kind: "told"; readonly finding: ForgeFinding }> {
  const toldOk = (what: string, remedy: string) => ({ kind: "told" as const, finding: { ok: true, what, remedy } });
  const polled = `${ways.pulls} of "${repository}" are found by the resync alone`;
  if (secrets.length === 0) {
    return toldOk(`${polled}: there are no \`webhookSecrets\``, "name one, and changes are seen at once");
  }
  if (webhookUrl === undefined || !canReach(serverUrl, webhookUrl)) {
    return toldOk(`${polled}: ${serverUrl} cannot call this machine`, "set `url` to an address that it can reach");
  }
  const action = `reading the webhooks of "${repository}"`;
  try {
    const asked = { repository, path: `/hooks?${ways.query}`, action, statuses: [403, 404] };
    const { status, data } = await client.call(asked);
    if (status !== 200) {
      const what = `whether "${repository}" has a webhook is not known: only its ${ways.keepers} may ask`;
      return toldOk(what, ways.byHand(webhookUrl));
    }
    const shown = parseAnswer(ways.shape, data, { action, server: ways.server });
    const ours = shown.filter((hook) => ways.urlOf(hook) === webhookUrl);
    return { kind: "looked", url: webhookUrl, found: ours.find(ways.isUsable) ?? ours[0] };
  } catch (error) {
    return { kind: "told", finding: told(error, action) };
  }
}

function findingOf<Hook>(ways: HookWays<Hook>, repository: string, { url, found }: Looked<Hook>): ForgeFinding {
  if (!found) {
    return { ok: true, what: `"${repository}" has no webhook of its own to ${url}`, remedy: ways.byHand(url) };
  }
  const what = `the webhook of "${repository}" calls ${url}`;
  const fault = ways.fault?.(found);
  if (fault) return { ok: false, what: `${what}, but ${fault.what}`, remedy: fault.remedy };
  if (ways.isUsable(found)) return { ok: true, what };
  return { ok: false, what: `${what}, but not for all it should`, remedy: ways.byHand(url) };
}

function told(error: unknown, action: string): ForgeFinding {
  const what = error instanceof StacklingError ? error.userMessage : `${action} failed`;
  return { ok: false, what, remedy: "look at the server and at the token" };
}
