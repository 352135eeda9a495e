/** Neon's API by its official client: what the Pulumi provider has no field for, and all that is asked outside Pulumi. */
import { setTimeout as delay } from "node:timers/promises";
import { type Api, createApiClient } from "@neondatabase/api-client";
import { z } from "zod";
import { StacklingError, TerminalError } from "../errors.ts";

export interface Neon {
  readonly project: string;
  /** Calls the API. A 423 (the project is busy), 429 or 5xx is tried again for a minute; undefined for a 404. */
  ask<T>(
    action: string,
    work: (api: Api<unknown>, project: string) => Promise<{ readonly data: T }>,
  ): Promise<T | undefined>;
}

const ANSWER_WITHIN_MS = 20_000;
const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;

/** `apiKey` is secret and never part of a message. */
export function createNeon({
  project,
  apiKey,
  apiUrl,
}: {
  readonly project: string;
  readonly apiKey: string;
  readonly apiUrl: string;
}): Neon {
  const api = createApiClient({ apiKey, baseURL: apiUrl, timeout: ANSWER_WITHIN_MS, maxRedirects: 0 });
  return {
    project,
    async ask(action, work) {
      const until = performance.now() + PATIENCE_MS;
      for (;;) {
        try {
          return (await work(api, project)).data;
        } catch (error) {
          // The client's own error holds the request with its key, so it goes nowhere.
          const failure = failureOf(error);
          if (failure.status === 404) return undefined;
          const waitMs = pauseOf(failure);
          if (waitMs === undefined || performance.now() + waitMs > until) throw refusal(action, failure, apiKey);
          await delay(waitMs);
        }
      }
    },
  };
}

/** Names the way out of a cap, whoever ran into it. */
export function quotaExceeded(action: string, told: string): TerminalError {
  return new TerminalError({
    reason: "QuotaExceeded",
    userMessage: `${action}: Neon's project has no room for another: ${told}; close a preview, or raise the plan's limit`,
  });
}

/** Neon's words where a limit of the plan is reached, such as `BRANCHES_LIMIT_EXCEEDED`. */
export function tellsOfQuota(text: string): boolean {
  return /limit[ _]exceeded|exceeded the limit|quota/i.test(text);
}

const failure = z.object({
  response: z
    .object({
      status: z.number(),
      headers: z.looseObject({ "retry-after": z.string().optional() }).optional(),
      data: z.object({ code: z.string().optional(), message: z.string().optional() }).optional().catch(undefined),
    })
    .optional(),
});

interface Failure {
  /** Undefined when nothing answered. */
  readonly status?: number;
  readonly told: string;
  readonly retryAfter?: string;
}

function failureOf(error: unknown): Failure {
  const { response } = failure.safeParse(error).data ?? {};
  if (!response) return { told: "it does not answer" };
  const { status, data, headers } = response;
  const told = [data?.message, data?.code && `(${data.code})`].filter(Boolean).join(" ") || `HTTP ${status}`;
  const retryAfter = headers?.["retry-after"];
  return { status, told, ...(retryAfter !== undefined && { retryAfter }) };
}

/** Undefined when it is not worth waiting. */
function pauseOf({ status, retryAfter }: Failure): number | undefined {
  if (status === undefined || (status !== 423 && status !== 429 && status < 500)) return undefined;
  if (retryAfter === undefined) return AGAIN_MS;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? AGAIN_MS : Math.max(0, ms);
}

function refusal(action: string, { status, told }: Failure, apiKey: string): StacklingError {
  const words = told.replaceAll(apiKey, "[secret]");
  if (tellsOfQuota(words)) return quotaExceeded(action, words);
  if (status === 401 || status === 403) {
    const userMessage = `${action}: Neon refuses the API key: ${words}`;
    return new StacklingError({ reason: "TargetForbidden", userMessage });
  }
  if (status === undefined || status === 423 || status === 429 || status >= 500) {
    return new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: Neon cannot do it now: ${words}`,
    });
  }
  return new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: Neon refuses it: ${words}` });
}
