/** One request to a registry or its token service: bounded, encrypted, and never telling a password to a third host. */
import { StacklingError } from "../../components/errors.ts";

const REDIRECTS = 4;

export interface RegistryRequest {
  readonly method: "GET" | "HEAD";
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** What `Retry-After` asks for. */
  readonly retryAfterSeconds?: number;
  /** The whole body; rejects when it is larger. */
  read(maxBytes: number): Promise<Buffer>;
  /** Leaves the body unread. */
  cancel(): Promise<void>;
}

/** The answer behind at most four redirects. Throws `StacklingError` for an address it must not ask, else as `fetch` does. */
export async function askRegistry(url: string, request: RegistryRequest): Promise<Answer> {
  const start = checked(url, url);
  let at = start;
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const { Authorization, ...others } = request.headers;
    const own = Authorization !== undefined && at.origin === start.origin ? { Authorization } : {};
    const { method, signal } = request;
    const headers = { "User-Agent": "stackling", ...others, ...own };
    const response = await fetch(at, { method, signal, redirect: "manual", headers });
    const location = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
    if (location === null) return toAnswer(response);
    await response.body?.cancel();
    at = checked(new URL(location, at).href, url);
  }
  throw new StacklingError({ reason: "ImageNotFound", userMessage: `"${start.host}" redirects without end` });
}

export function readText(answer: Answer, maxBytes: number): Promise<string> {
  return answer.read(maxBytes).then((body) => body.toString("utf8"));
}

/** True for `localhost` and the loopback addresses, with or without a port. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/.test(host);
}

/** Plain HTTP is for registries on this machine, and only they lead back to it. */
function checked(url: string, from: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const here = parsed !== undefined && isLoopback(parsed.host);
  const started = URL.canParse(from) && isLoopback(new URL(from).host);
  if (parsed && !parsed.username && (here ? started : parsed.protocol === "https:")) return parsed;
  const userMessage = `a registry leads to "${parsed?.origin ?? url}", which is not asked: it must be https`;
  throw new StacklingError({ reason: "ImageNotFound", userMessage });
}

function toAnswer(response: Response): Answer {
  const retryAfterSeconds = secondsOf(response.headers);
  return {
    status: response.status,
    headers: response.headers,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    async read(maxBytes) {
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const part of response.body ?? []) {
        size += part.byteLength;
        if (size > maxBytes) {
          throw new StacklingError({
            reason: "ImageNotFound",
            userMessage: `a registry sent more than ${maxBytes} bytes`,
          });
        }
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
    cancel: async () => response.body?.cancel(),
  };
}

/** Seconds or a date (RFC 9110, 10.2.3), the date against the answer's own, so that no clock is needed. */
function secondsOf(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  if (/^[0-9]+$/.test(text.trim())) return Number(text);
  const seconds = (Date.parse(text) - Date.parse(headers.get("date") ?? "")) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined;
}
