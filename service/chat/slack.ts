/** Slack's two ways in: a bot that posts and edits, and an incoming webhook that only posts. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { SlackConfig } from "../config/chat.ts";
import { resolveSecret } from "../secret-reference.ts";
import { type ChatDriver, postJson } from "./driver.ts";
import { slackMessage } from "./slack-message.ts";

const answer = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  ts: z.string().optional(),
  channel: z.string().optional(),
});

/** Of a message that was deleted in Slack, or of which the channel is not the bot's any more. */
const LOST: ReadonlySet<string> = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);

export function slackDriver(config: SlackConfig): ChatDriver {
  const { token, webhook, channel, signingSecret, api } = config;
  const buttons = signingSecret !== undefined;
  if (webhook) {
    return {
      edits: false,
      async post(message) {
        await postJson("Slack", await resolveSecret(webhook), slackMessage(message, { buttons }));
        return {};
      },
      async check() {
        await resolveSecret(webhook);
        if (signingSecret) await resolveSecret(signingSecret);
      },
    };
  }
  const call = async (method: string, body: object) => {
    const authorization = token === undefined ? "" : `Bearer ${await resolveSecret(token)}`;
    return answer.parse(await postJson("Slack", `${api}/${method}`, body, { authorization }));
  };
  return {
    edits: true,
    async post(message, before) {
      const body = slackMessage(message, { buttons });
      if (before.ts !== undefined) {
        const edited = await call("chat.update", { channel: before.channel, ts: before.ts, ...body });
        if (edited.ok) return before;
        if (!LOST.has(edited.error ?? "")) throw refused("chat.update", edited.error);
      }
      const posted = await call("chat.postMessage", { channel, ...body });
      if (!posted.ok || posted.ts === undefined) throw refused("chat.postMessage", posted.error);
      return { ts: posted.ts, channel: posted.channel ?? channel ?? "" };
    },
    async check() {
      if (signingSecret) await resolveSecret(signingSecret);
      const known = await call("auth.test", {});
      if (!known.ok) throw refused("auth.test", known.error);
    },
  };
}

function refused(method: string, error = "no error named"): StacklingError {
  const word = error.replace(/[^\w-]/g, "").slice(0, 60);
  return new StacklingError({ reason: "ChatRefused", userMessage: `Slack refused ${method}: ${word}` });
}
