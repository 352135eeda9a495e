/** Cloudflare's REST API as far as previews need it: docs, "Cloudflare API v4". Its npm client is 120 MB for this. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StacklingError, TerminalError } from "../errors.ts";

export interface CloudflareSettings {
  /** Secret. */
  readonly token: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
}

export interface Call {
  /** What a person would say is being done, such as `listing DNS records`. */
  readonly action: string;
  readonly method?: "GET" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
}

const ANSWER_WITHIN_MS = 15_000;
/** Cloudflare asks for up to five minutes; who waits longer than this is better told. */
const PATIENCE_MS = 60_000;
const ATTEMPTS = 4;
const PER_PAGE = 100;

const envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).nullish(),
  result: z.unknown(),
  result_info: z.object({ total_pages: z.number().optional() }).nullish(),
});

type Envelope = z.infer<typeof envelope>;

/**
 * One call's `result`. A 429 is waited for as `Retry-After` says, a 5xx for a moment. Throws
 * `StacklingError`: `TargetForbidden`, `TargetUnreachable` (also when it asks for too much patience), `TargetInvalid`; undefined for a 404.
 */
export async function call<T>(
  settings: CloudflareSettings,
  request: Call,
  result: z.ZodType<T>,
): Promise<T | undefined> {
  const answer = await send(settings, request);
  return answer && parse(result, answer.result, request.action);
}

/** All pages of a list. */
export async function list<T>(settings: CloudflareSettings, request: Call, item: z.ZodType<T>): Promise<T[]> {
  const found: T[] = [];
  for (let page = 1; ; page += 1) {
    const query = { ...request.query, page: String(page), per_page: String(PER_PAGE) };
    const answer = await send(settings, { ...request, query });
    const items = parse(z.array(item), answer?.result ?? [], request.action);
    found.push(...items);
    if (items.length === 0 || page >= (answer?.result_info?.total_pages ?? page)) return found;
  }
}

async function send(settings: CloudflareSettings, request: Call): Promise<Envelope | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetchOnce(settings, request);
    const waitMs = attempt < ATTEMPTS ? pauseOf(response, attempt) : undefined;
    if (waitMs === undefined) return read(settings, request, response);
    await response.body?.cancel();
    await delay(waitMs);
  }
}

/** Undefined when it is not worth waiting. */
function pauseOf({ status, headers }: Response, attempt: number): number | undefined {
  const asked = headers.get("retry-after");
  if (status !== 429 && status < 500) return undefined;
  if (asked === null) return 250 * 2 ** attempt;
  const ms = /^\d+$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - Date.now();
  return ms <= PATIENCE_MS ? Math.max(0, ms) : undefined;
}

async function fetchOnce({ token, baseUrl }: CloudflareSettings, request: Call): Promise<Response> {
  const { action, method = "GET", path, query } = request;
  const search = query ? `?${new URLSearchParams(query)}` : "";
  try {
    return await fetch(`${baseUrl}${path}${search}`, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      // The token goes to nobody else.
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  } catch (cause) {
    throw new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: Cloudflare does not answer`,
      cause,
    });
  }
}

async function read(
  { token }: CloudflareSettings,
  { action }: Call,
  response: Response,
): Promise<Envelope | undefined> {
  const { status, headers } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const { data } = envelope.safeParse(body);
  if (data?.success) return data;
  if (status === 404) return undefined;
  const told = data?.errors?.map(({ code, message }) => `${message} (${code})`).join("; ") || `HTTP ${status}`;
  const words = told.replaceAll(token, "[secret]");
  if (status === 401 || status === 403) {
    const remedy = "give the API token the permissions Zone Read and DNS Edit on this zone";
    throw new StacklingError({
      reason: "TargetForbidden",
      userMessage: `${action}: Cloudflare refuses the API token: ${words}; ${remedy}`,
    });
  }
  if (status === 429) {
    const after = headers.get("retry-after");
    const until = after === null ? "" : `; it asks to come back after ${after}${/^\d+$/.test(after) ? " s" : ""}`;
    throw new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: Cloudflare has had too many calls with this token${until}`,
    });
  }
  if (status >= 500) {
    throw new StacklingError({
      reason: "TargetUnreachable",
      userMessage: `${action}: Cloudflare has trouble: ${words}`,
    });
  }
  throw new TerminalError({ reason: "TargetInvalid", userMessage: `${action}: Cloudflare refuses it: ${words}` });
}

function parse<T>(schema: z.ZodType<T>, value: unknown, action: string): T {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  throw new StacklingError({
    reason: "TargetUnreachable",
    userMessage: `${action}: what answers is not Cloudflare's API`,
    cause: error,
  });
}
