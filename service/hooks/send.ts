/** One delivery to one hook, signed by the scheme of Standard Webhooks (standardwebhooks.com). */
import { StacklingError } from "../../components/errors.ts";
import type { HookConfig } from "../config/hooks.ts";
import { resolveSecret } from "../secret-reference.ts";
import type { HookDelivery } from "./store.ts";

const ANSWER_WITHIN_MS = 15_000;

/** What came of an attempt, in words that hold no secret. `never`: the receiver wants no more of it. */
export interface Sent {
  readonly outcome: "delivered" | "failed" | "never";
  readonly answer: string;
}

/**
 * Never rejects. It goes to the address that the operator wrote and nowhere else: no redirect is followed. The
 * answer's body is not read: it is the receiver's.
 */
export async function sendHook({ url, secret }: HookConfig, { id, body }: HookDelivery): Promise<Sent> {
  try {
    const { Webhook } = await import("standardwebhooks");
    const payload = JSON.stringify({ type: `preview.${body.event}`, timestamp: body.at, data: body });
    const at = new Date();
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      headers: {
        "content-type": "application/json",
        "user-agent": "Stackling",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": signer(await resolveSecret(secret), Webhook).sign(id, at, payload),
      },
      body: payload,
    });
    await response.body?.cancel();
    const answer = `it answered ${response.status}`;
    if (response.ok) return { outcome: "delivered", answer };
    // "The endpoint has been disabled", by the scheme.
    return { outcome: response.status === 410 ? "never" : "failed", answer };
  } catch (error) {
    return { outcome: "failed", answer: wordsOf(error) };
  }
}

/** Rejects with `StacklingError` where nothing could be signed. */
export async function checkHookSecret({ secret }: Pick<HookConfig, "secret">): Promise<void> {
  const { Webhook } = await import("standardwebhooks");
  signer(await resolveSecret(secret), Webhook);
}

function signer(secret: string, Webhook: typeof import("standardwebhooks").Webhook) {
  try {
    return new Webhook(secret);
  } catch (cause) {
    // The library's own words may hold part of it.
    const userMessage = 'its secret cannot be read: it must be base64, with or without "whsec_" before it';
    throw new StacklingError({ reason: "SecretInvalid", userMessage, cause });
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof StacklingError) return error.userMessage;
  if (error instanceof DOMException && error.name === "TimeoutError") return "it did not answer in time";
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return code === "" ? "the request could not be made" : `the request failed (${code})`;
}
