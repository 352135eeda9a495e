/** The port to a chat, and how all of them are talked to. */
import { StacklingError } from "../../components/errors.ts";
import type { ChatMessage } from "./message.ts";

const ANSWER_WITHIN_MS = 15_000;
const ANSWER_MAX = 100_000;

/** Ids of a message that was posted, as the chat names them. */
export type ChatHandles = Readonly<Record<string, string>>;

export interface ChatDriver {
  /** Whether a message can be changed once it is there; else each piece of news is a new one. */
  readonly edits: boolean;
  /** Posts it, or changes the one that `before` names; resolves with what names it from now on. Rejects with `StacklingError`. */
  post(message: ChatMessage, before: ChatHandles): Promise<ChatHandles>;
  /** Posts nothing. Rejects with `StacklingError` where it can be seen already that posting would fail. */
  check(): Promise<void>;
}

/** The answer's JSON, or undefined where it is none. The address may be a secret and is in no error. */
export async function postJson(
  who: string,
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const failed = (why: string, cause?: unknown) =>
    new StacklingError({ reason: "ChatUnreachable", userMessage: `telling ${who}: ${why}`, cause });
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      headers: { "content-type": "application/json; charset=utf-8", ...headers },
      body: JSON.stringify(body),
    });
    text = (await response.text()).slice(0, ANSWER_MAX);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    // The cause may name the address.
    throw failed(`it could not be reached${code}`);
  }
  if (!response.ok) throw failed(`it answered ${response.status}`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
