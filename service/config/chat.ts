/** `chat`: which channels are told of previews, and who may act from there. */
import { z } from "zod";
import type { Role } from "../roles.ts";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { SecretReference } from "./types.ts";

export type ChatConfig = SlackConfig | TeamsConfig;

/** One message per preview by a bot's `token`, edited in place; by an incoming `webhook` a new one for each outcome. */
export interface SlackConfig {
  readonly kind: "slack";
  readonly webhook?: SecretReference;
  readonly token?: SecretReference;
  readonly channel?: string;
  /** With it there are buttons. */
  readonly signingSecret?: SecretReference;
  /** Role by Slack's id of a person. */
  readonly people: Readonly<Record<string, Role>>;
  /** Without a slash at the end. */
  readonly api: string;
}

export interface TeamsConfig {
  readonly kind: "teams";
  readonly webhook: SecretReference;
}

const SLACK_API = "https://slack.com/api";

const slack = z
  .strictObject({
    kind: z.literal("slack").describe("Where the channel is."),
    webhook: secretReference.optional().describe("Where the address of an incoming webhook is: it is a secret."),
    token: secretReference.optional().describe("Where a bot's token is (scope `chat:write`), in place of `webhook`."),
    channel: z
      .string()
      .regex(/^[A-Z0-9]{3,}$/, "must be a channel's id, such as C0123456789 (in its details in Slack)")
      .optional()
      .describe("Id of the channel that the bot writes to and is a member of."),
    signingSecret: secretReference
      .optional()
      .describe("Where the app's signing secret is: messages then have buttons, answered at `/chat/slack`."),
    people: z
      .record(
        z.string().regex(/^[UW][A-Z0-9]{2,}$/, "must be a member's id, such as U0123456789 (in the profile in Slack)"),
        z.enum(["viewer", "operator", "admin"]),
      )
      .optional()
      .describe("Who may use the buttons: roles by Slack's member ids. Default: nobody."),
    api: z
      .url({ protocol: /^https?$/, error: 'must be an address such as "https://slack-gov.com/api"' })
      .optional()
      .describe("Slack's API, where it is another. Default https://slack.com/api."),
  })
  .refine(({ webhook, token }) => (webhook === undefined) !== (token === undefined), {
    error: "needs either a `webhook` or a bot's `token`",
  })
  .refine(({ token, channel }) => (token === undefined) === (channel === undefined), {
    error: "a bot's `token` and its `channel` belong together; a `webhook` has its channel",
  });

const teams = z.strictObject({
  kind: z.literal("teams").describe("Where the channel is."),
  webhook: secretReference.describe("Where the address of a workflow (“when a webhook request is received”) is."),
});

export const chatSchema = z.discriminatedUnion("kind", [slack, teams]);

export function chatOf(
  typed: Readonly<Record<string, z.infer<typeof chatSchema>>> | undefined,
  directory: string,
): { readonly chat?: Readonly<Record<string, ChatConfig>> } {
  if (!typed) return {};
  const placed = (name: string, reference: SecretReference | undefined) =>
    reference === undefined ? {} : { [name]: place(reference, directory) };
  const entries = Object.entries(typed).map(([name, chat]): [string, ChatConfig] => {
    if (chat.kind === "teams") return [name, { kind: "teams", webhook: place(chat.webhook, directory) }];
    const { kind, webhook, token, channel, signingSecret, people = {}, api = SLACK_API } = chat;
    return [
      name,
      {
        kind,
        ...placed("webhook", webhook),
        ...placed("token", token),
        ...placed("signingSecret", signingSecret),
        ...(channel === undefined ? {} : { channel }),
        people,
        api: api.replace(/\/+$/, ""),
      },
    ];
  });
  return { chat: Object.fromEntries(entries) };
}
