/**
 * Buttons of Slack's messages, at `/chat/slack` (docs.slack.dev/interactivity/handling-user-interaction): the
 * signature is checked over the raw body, the answer goes at once, and what came of it follows to the person alone.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { z } from "zod";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { isStage } from "../../infra/names.ts";
import type { Actions } from "../api/actions.ts";
import { type Audit, noted } from "../audit.ts";
import type { SlackConfig } from "../config/chat.ts";
import type { OperatorConfig } from "../config/types.ts";
import { may } from "../roles.ts";
import { resolveSecret } from "../secret-reference.ts";
import type { Store } from "../store/store.ts";
import { postJson } from "./driver.ts";
import { isTold } from "./sinks.ts";
import { ACTIONS, asText } from "./slack-message.ts";

const BODY_MAX = 200_000;
/** Slack's own advice: what is older may be somebody's copy. */
const WINDOW_SECONDS = 300;
const EXTEND_SECONDS = 48 * 3_600;
/** Where Slack has the answers to a click put. */
const RESPONSE_HOSTS: ReadonlySet<string> = new Set(["hooks.slack.com", "hooks.slack-gov.com"]);

export interface SlackActionsDeps {
  readonly config: Pick<OperatorConfig, "chat" | "repositories">;
  readonly actions: Pick<Actions, "extend" | "sleep" | "down">;
  readonly store: Pick<Store, "find">;
  readonly audit: Pick<Audit, "record">;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

const click = z.object({
  type: z.literal("block_actions"),
  user: z.object({
    id: z.string().max(50),
    username: z.string().max(100).optional(),
    name: z.string().max(100).optional(),
  }),
  response_url: z.string().optional(),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
});
type Click = z.infer<typeof click>;

type Verb = keyof typeof ACTIONS;

export function createSlackActions(deps: SlackActionsDeps): RequestHandler {
  return async (request, response) => {
    const refuse = (status: number, why: string) => response.status(status).type("text").send(`${why}\n`);
    try {
      const body = await readBody(request);
      if (body === undefined) return void refuse(413, "That is too long.");
      const signed = {
        body,
        time: request.get("x-slack-request-timestamp") ?? "",
        signature: request.get("x-slack-signature") ?? "",
      };
      const found = await signerOf(deps, signed);
      if (!found) return void refuse(401, "The signature is not right.");
      const payload = new URLSearchParams(body.toString("utf8")).get("payload") ?? "";
      const { data } = click.safeParse(parsed(payload));
      // Within three seconds, so before anything is done. Clicks of links and other kinds need no more than this.
      response.status(200).end();
      if (data) await carryOut(deps, found, data);
    } catch (error) {
      deps.onError(error);
      if (!response.headersSent) refuse(500, "Something went wrong.");
    }
  };
}

interface Signer {
  readonly name: string;
  readonly slack: SlackConfig;
}

interface Signed {
  readonly body: Buffer;
  readonly time: string;
  readonly signature: string;
}

/** The app whose secret signed it; there may be several. */
async function signerOf(
  { config, now }: SlackActionsDeps,
  { body, time, signature }: Signed,
): Promise<Signer | undefined> {
  const age = Math.abs(now().getTime() / 1000 - Number(time));
  if (!/^\d{1,12}$/.test(time) || age > WINDOW_SECONDS) return undefined;
  const given = Buffer.from(signature);
  for (const [name, slack] of Object.entries(config.chat ?? {})) {
    if (slack.kind !== "slack" || !slack.signingSecret) continue;
    const mac = createHmac("sha256", await resolveSecret(slack.signingSecret))
      .update(`v0:${time}:`)
      .update(body);
    const expected = Buffer.from(`v0=${mac.digest("hex")}`);
    if (given.length === expected.length && timingSafeEqual(given, expected)) return { name, slack };
  }
  return undefined;
}

/** In the name of who clicked; what came of it is told to that person, and what was done shows in the message. */
async function carryOut(
  deps: SlackActionsDeps,
  { name, slack }: Signer,
  { user, actions, response_url }: Click,
): Promise<void> {
  const tell = async (text: string) => {
    const url = response_url === undefined ? undefined : answerable(response_url, slack);
    if (url === undefined) return;
    const answer = { response_type: "ephemeral", replace_original: false, text: asText(text) };
    await postJson("Slack", url, answer).catch(deps.onError);
  };
  for (const { action_id, value: key = "" } of actions) {
    const verb = (Object.keys(ACTIONS) as Verb[]).find((one) => ACTIONS[one] === action_id);
    if (!verb) continue;
    const by = `${user.username ?? user.name ?? user.id} (Slack)`;
    try {
      await noted(
        deps.audit,
        { actor: by, action: DEEDS[verb].verb, key, detail: `member ${user.id} in "${name}"`, via: "chat" },
        () => clicked(deps, { name, slack, user: user.id, verb, key, by }),
      );
      await tell(DEEDS[verb].said(key));
    } catch (error) {
      if (!(error instanceof StacklingError)) deps.onError(error);
      await tell(
        error instanceof StacklingError ? `Not done: ${error.userMessage}` : "Not done: something went wrong.",
      );
    }
  }
}

interface Clicked extends Signer {
  readonly user: string;
  readonly verb: Verb;
  readonly key: string;
  readonly by: string;
}

async function clicked(deps: SlackActionsDeps, { name, slack, user, verb, key, by }: Clicked): Promise<void> {
  const role = Object.hasOwn(slack.people, user) ? slack.people[user] : undefined;
  const preview = await deps.store.find(key);
  const refuse = (userMessage: string) => new TerminalError({ reason: "NotAllowed", userMessage });
  // A stage has no buttons: it goes by other ways, and nobody made it for a pull request.
  if (!preview || isStage(key) || !isTold(deps.config, preview.repository, name))
    throw refuse(`there is no preview "${key}" here`);
  if (role === undefined || !may({ role }, "operate", preview.repository)) {
    throw refuse(`the Slack member "${user}" may not do that; the operator lists who may under "chat.${name}.people"`);
  }
  await DEEDS[verb].act(deps.actions, key, by);
}

interface SlackDeed {
  /** As API and audit call it. */
  readonly verb: string;
  readonly said: (key: string) => string;
  act(actions: SlackActionsDeps["actions"], key: string, by: string): Promise<unknown>;
}

const DEEDS: Readonly<Record<Verb, SlackDeed>> = {
  extend: {
    verb: "extend",
    said: (key) => `${key} stays for 48 h from now, at least.`,
    act: (actions, key, by) => actions.extend(key, EXTEND_SECONDS, by),
  },
  sleep: {
    verb: "sleep",
    said: (key) => `${key} goes to sleep; a visit wakes it.`,
    act: (actions, key, by) => actions.sleep(key, by),
  },
  destroy: {
    verb: "down",
    said: (key) => `${key} is being removed; a push makes it anew.`,
    act: (actions, key, by) => actions.down(key, by),
  },
};

/** The address is signed with the rest; still nothing else than Slack is asked. */
function answerable(url: string, { api }: SlackConfig): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, origin } = new URL(url);
  return (protocol === "https:" && RESPONSE_HOSTS.has(host)) || origin === new URL(api).origin ? url : undefined;
}

async function readBody(request: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > BODY_MAX) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return undefined;
  }
}
