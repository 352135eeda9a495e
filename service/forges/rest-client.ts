/** One call to a forge's REST API, where the forge has no client library here: bounded, and its errors in our words. */
import { noAnswer, refusal } from "./answers.ts";
import { fetchInTime } from "./fetch-in-time.ts";
import type { WatchFetch } from "./forge.ts";
import { unwatched, withinLimit } from "./rate-limit.ts";

export interface RestCall {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Behind the API's address, already encoded, with its query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** What is asked for, in words, for the error: `reading pull request 42`. */
  readonly action: string;
  /** Statuses that are answers and no errors. */
  readonly statuses?: readonly number[];
}

export interface RestAnswer {
  readonly status: number;
  /** Undefined for an answer that is no success, and for one without a body. */
  readonly data: unknown;
  readonly headers: Headers;
}

export interface RestServer {
  /** Address of the API, without a slash at its end. */
  readonly api: string;
  /** As people call it. */
  readonly name: string;
  /** Who we are, as headers; asked before each call, for it may be renewed. */
  readonly credential: () => Promise<Readonly<Record<string, string>>>;
  readonly watch?: WatchFetch;
}

const LONGEST_BODY = 64 * 1024 * 1024;

/** Throws `StacklingError` "Unreachable" for any status that is neither 2xx nor named, and where nobody answers. */
export function createRestClient({
  api,
  name,
  credential,
  watch = unwatched,
}: RestServer): (call: RestCall) => Promise<RestAnswer> {
  const ask = withinLimit(watch(fetchInTime));

  return async ({ path, action, body, method = "GET", statuses = [] }) => {
    const headers = {
      accept: "application/json",
      "user-agent": "stackling",
      ...(await credential()),
      ...(body ? { "content-type": "application/json" } : {}),
    };
    const asked = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    const failed = (error: unknown) => {
      throw noAnswer({ action, server: name }, error);
    };
    const response = await ask(`${api}${path}`, asked).catch(failed);
    const text = await textOf(response).catch(failed);
    const { status } = response;
    if (response.ok) return { status, data: parsed(text), headers: response.headers };
    if (statuses.includes(status) && !isRateLimit(response)) {
      return { status, data: undefined, headers: response.headers };
    }
    throw refusal({ action, server: name, status, as: "token" });
  };
}

/** What is no JSON has no shape that anybody expects, so that it is refused there. */
function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LONGEST_BODY) throw new TypeError("the answer does not end");
  }
  return text + decoder.decode();
}

/** A refusal for want of rest passes by itself and says nothing about rights. */
function isRateLimit({ status, headers }: Response): boolean {
  return status === 429 || headers.has("retry-after");
}
