/** One call of the service's API: with its token, within a time, and refusals as errors. */
import type { IncomingMessage } from "node:http";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { readText, send } from "./http.ts";

export interface Asked {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Default: as long as what is answered at once may take. */
  readonly withinMs?: number;
}

export interface Asking {
  /** The answer as JSON. */
  ask<T>(path: string, call?: Asked): Promise<T>;
  /** A stream is to begin in time, and lasts as long as it likes. */
  open(path: string, call?: Asked): Promise<IncomingMessage>;
  /** What `take` makes of an answer that is good, all of it within the time. */
  answered<T>(path: string, call: Asked, take: (message: IncomingMessage) => T | Promise<T>): Promise<T>;
}

/** A service that was frozen, or a proxy that holds the request, would take for ever. */
export const ANSWER_WITHIN_MS = 30_000;

export function createAsking({ url, token }: { readonly url: string; readonly token: string }): Asking {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

  const answered: Asking["answered"] = async (path, { method, body, signal, withinMs = ANSWER_WITHIN_MS }, take) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), withinMs);
    try {
      const message = await send(new URL(`/api/v1${path}`, url).href, {
        headers,
        ...(method ? { method } : {}),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      });
      if (message.statusCode !== undefined && message.statusCode < 300) return await take(message);
      throw refusal(message.statusCode ?? 0, await readText(message));
    } catch (error) {
      if (error instanceof StacklingError) throw error;
      const within = late.signal.aborted ? ` within ${Math.ceil(withinMs / 1000)} s` : "";
      throw new StacklingError({
        reason: "ServiceAway",
        userMessage: `calling the service at ${url}: it does not answer${within}`,
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    answered,
    open: (path, call = {}) => answered(path, call, (message) => message),
    ask: async <T>(path: string, call: Asked = {}) => JSON.parse(await answered(path, call, readText)) as T,
  };
}

function refusal(status: number, text: string): StacklingError {
  const said = parseRefusal(text);
  const details = {
    reason: said?.reason ?? `Http${status}`,
    userMessage: said?.message ?? `calling the service: it answered ${status}`,
  };
  if (status === 401)
    return new TerminalError({
      reason: "Unauthorized",
      userMessage: "calling the service: it does not take this token; see STACKLING_TOKEN",
    });
  return status >= 500 ? new StacklingError(details) : new TerminalError(details);
}

/** A problem of RFC 9457. */
function parseRefusal(text: string): { readonly reason: string; readonly message: string } | undefined {
  try {
    const { reason, detail } = JSON.parse(text) as { readonly reason: string; readonly detail: string };
    return { reason, message: detail };
  } catch {
    return undefined;
  }
}
