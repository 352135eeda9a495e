/** Microsoft Teams, by a workflow that posts what it is sent; such a message cannot be changed. */
import type { TeamsConfig } from "../config/chat.ts";
import { resolveSecret } from "../secret-reference.ts";
import { type ChatDriver, postJson } from "./driver.ts";
import { teamsMessage } from "./teams-message.ts";

export function teamsDriver({ webhook }: TeamsConfig): ChatDriver {
  return {
    edits: false,
    async post(message) {
      await postJson("Microsoft Teams", await resolveSecret(webhook), teamsMessage(message));
      return {};
    },
    async check() {
      await resolveSecret(webhook);
    },
  };
}
