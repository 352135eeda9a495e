/** Calls of a vendor's REST API that has no client worth its weight: patience, and refusals in a person's words. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StacklingError, TerminalError } from "./errors.ts";

export interface RestApi {
  /** Its name in messages. */
  readonly vendor: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Hold the credential. */
  readonly headers: Readonly<Record<string, string>>;
  /** What no message may hold, whoever says it. */
  readonly secrets: readonly string[];
  /** Of a refusal that has no reason of its own. Default `DatabaseFailed`. */
  readonly refused?: "DatabaseFailed" | "TargetInvalid";
  /** How long it is asked again. Default a minute. */
  readonly patienceMs?: number;
}

export interface RestCall {
  /** What a person would say is being done, such as `creating database branch "shop"`. */
  readonly action: string;
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** With each value encoded, see `path`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

const ANSWER_WITHIN_MS = 20_000;
const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;

/** path`/branches/${name}` with every value encoded, so that no name leads elsewhere. */
export function path(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return texts.map((text, index) => (index === 0 ? text : encodeURIComponent(values[index - 1] ?? "") + text)).join("");
}

/**
 * The answer; undefined for a 404. A 429 is waited for as `Retry-After` says, for a minute at most; a 5xx and
 * silence are tried again only where asking twice does no harm: who creates something looks first whether it is
 * there. Throws `StacklingError`: `TargetForbidden`, `TargetUnreachable`, `refused`; `TerminalError`: `QuotaExceeded`.
 */
export async function ask<T>(api: RestApi, call: RestCall, answer: z.ZodType<T>): Promise<T | undefined> {
  const until = performance.now() + (api.patienceMs ?? PATIENCE_MS);
  for (;;) {
    const found = await once(api, call);
    if (found.status === 404) return undefined;
    if (found.status !== undefined && found.status < 300) return parsed(api, call, found.body, answer);
    const waitMs = pauseOf(call, found);
    if (waitMs === undefined || performance.now() + waitMs > until) throw refusal(api, call, found);
    await delay(waitMs);
  }
}

/** For calls whose answer nobody reads. */
export const anything: z.ZodType<unknown> = z.unknown();

interface Found {
  /** Undefined when nothing answered. */
  readonly status?: number;
  readonly body?: unknown;
  readonly retryAfter?: string;
  readonly cause?: unknown;
}

async function once({ baseUrl, headers }: RestApi, call: RestCall): Promise<Found> {
  const { method = "GET", path: at, query, body } = call;
  const search = query ? `?${new URLSearchParams(query)}` : "";
  try {
    const response = await fetch(`${baseUrl}${at}${search}`, {
      method,
      headers: { accept: "application/json", ...(body && { "content-type": "application/json" }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      // The credential goes to nobody else.
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const text = await response.text();
    const retryAfter = response.headers.get("retry-after");
    return { status: response.status, body: json(text), ...(retryAfter !== null && { retryAfter }) };
  } catch (cause) {
    return { cause };
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined when it is not worth waiting. */
function pauseOf({ method = "GET" }: RestCall, { status, retryAfter }: Found): number | undefined {
  const isHarmless = method === "GET" || method === "DELETE";
  if (status !== 429 && !(isHarmless && (status === undefined || status >= 500))) return undefined;
  if (retryAfter === undefined) return AGAIN_MS;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? AGAIN_MS : Math.max(0, ms);
}

/** Vendors say it as `message`, `error` or a text alone. */
const told = z.object({
  message: z.string().optional(),
  error: z.string().optional(),
  code: z.string().optional().catch(undefined),
});

function refusal(
  { vendor, secrets, refused = "DatabaseFailed" }: RestApi,
  { action }: RestCall,
  { status, body, cause }: Found,
): StacklingError {
  const { message, error, code } = told.safeParse(body).data ?? {};
  const said = [message ?? error, code && `(${code})`].filter(Boolean).join(" ") || `HTTP ${status}`;
  const words = secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), said).slice(0, 400);
  if (status === undefined) {
    return new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: ${vendor} does not answer`,
      cause,
    });
  }
  const isFull = status < 500 && status !== 429 && /\b(limit|quota|upgrade your plan)\b/i.test(said);
  if (status === 402 || isFull) {
    const userMessage = `${action}: ${vendor} has no room for another: ${words}; close a preview, or raise the plan's limit`;
    return new TerminalError({ reason: "QuotaExceeded", userMessage });
  }
  if (status === 401 || status === 403) {
    return new StacklingError({
      reason: "TargetForbidden",
      userMessage: `${action}: ${vendor} refuses the credential: ${words}`,
    });
  }
  if (status === 429 || status >= 500) {
    return new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: ${vendor} cannot do it now: ${words}`,
    });
  }
  return new StacklingError({ reason: refused, userMessage: `${action}: ${vendor} refuses it: ${words}` });
}

function parsed<T>({ vendor }: RestApi, { action }: RestCall, body: unknown, answer: z.ZodType<T>): T {
  const { data, error, success } = answer.safeParse(body);
  if (success) return data;
  throw new StacklingError({
    reason: "TargetUnreachable",
    userMessage: `${action}: what answers is not ${vendor}'s API`,
    // The answer itself may hold a password.
    cause: error.issues.map(({ path: at, message }) => `${at.join(".")}: ${message}`),
  });
}
