/** A Slack for tests: the emulator `emulate`, and clicks of buttons as Slack signs and sends them. */
import { createHmac } from "node:crypto";
import { createEmulator } from "emulate";
import { freePort } from "./free-port.ts";

export const SLACK_TOKEN = "xoxb-test-token";
export const SIGNING_SECRET = "a signing secret";

export interface SlackMessageSeen {
  readonly ts: string;
  readonly text: string;
  readonly blocks?: readonly Readonly<Record<string, unknown>>[];
  readonly edited?: object;
}

export interface TestSlack {
  /** As the config has it. */
  readonly api: string;
  /** Id of the channel `previews`. */
  readonly channel: string;
  /** Address of an incoming webhook into that channel. */
  readonly webhook: string;
  /** Oldest first. */
  messages(): Promise<readonly SlackMessageSeen[]>;
  delete(ts: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startSlack(): Promise<TestSlack> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const scopes = ["chat:write", "channels:read", "channels:history", "channels:manage"];
  const emulator = await createEmulator({
    service: "slack",
    port,
    baseUrl: url,
    seed: {
      slack: {
        strict_scopes: true,
        users: [{ name: "stackling", real_name: "Stackling", email: "bot@example.com" }],
        channels: [{ name: "previews" }],
        tokens: [{ token: SLACK_TOKEN, user: "stackling", scopes }],
        incoming_webhooks: [{ channel: "previews", label: "previews" }],
      },
    },
  });
  const call = async (method: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}/api/${method}`, {
      method: "POST",
      // A connection that is kept may be closed at the very moment when it is used again.
      headers: { authorization: `Bearer ${SLACK_TOKEN}`, "content-type": "application/json", connection: "close" },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (answer.ok !== true) throw new Error(`${method}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const { channels } = (await call("conversations.list", {})) as { channels: { id: string; name: string }[] };
  const channel = channels.find(({ name }) => name === "previews")?.id ?? "";
  return {
    api: `${url}/api`,
    channel,
    webhook: `${url}/services/T000000001/B000000001/any`,
    async messages() {
      const { messages } = (await call("conversations.history", { channel })) as { messages: SlackMessageSeen[] };
      return messages.toReversed();
    },
    async delete(ts) {
      await call("chat.delete", { channel, ts });
    },
    stop: () => emulator.close(),
  };
}

/** Headers and body of a click, signed at `at`. */
export function clickOf(
  payload: object,
  { at = new Date(), secret = SIGNING_SECRET }: { readonly at?: Date; readonly secret?: string } = {},
): { readonly headers: Record<string, string>; readonly body: string } {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const time = String(Math.floor(at.getTime() / 1000));
  const signature = `v0=${createHmac("sha256", secret).update(`v0:${time}:${body}`).digest("hex")}`;
  return {
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-slack-request-timestamp": time,
      "x-slack-signature": signature,
    },
  };
}
