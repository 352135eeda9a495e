/** Talks to the REST API of Gitea and Forgejo: who we are, and what its errors mean. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { withinLimit } from "./github-limit.ts";
import { fetchInTime } from "./github-request.ts";

export interface GiteaCall {
  /** `acme/shop` */
  readonly repository: string;
  readonly method?: "GET" | "POST" | "PATCH";
  /** Below `/repos/acme/shop`, already encoded, with its query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** What is asked for, in words, for the error: `reading pull request 42`. */
  readonly action: string;
  /** Statuses that are answers and no errors. */
  readonly statuses?: readonly number[];
}

export interface GiteaAnswer {
  readonly status: number;
  /** Undefined for an answer that is no success, and for one without a body. */
  readonly data: unknown;
  /** Of all pages together, where the server says so (`X-Total-Count`). */
  readonly total?: number;
}

export interface GiteaClient {
  /** One call. Throws `StacklingError` "Unreachable" for any status that is neither 2xx nor named. */
  call(call: GiteaCall): Promise<GiteaAnswer>;
  /** Version of the server; Forgejo says its own behind the Gitea that it answers as: `11.0.3+gitea-1.22.0`. */
  version(): Promise<string>;
  /** Login that our comments bear; undefined where the token may not ask (scope `read:user`). */
  login(): Promise<string | undefined>;
}

/** What a server answers when it will not do something, however often it is asked. */
export const REFUSED = [400, 403, 404, 409, 410, 413, 422, 423];

const LONGEST_BODY = 64 * 1024 * 1024;

/** A client for one token. `url` is where people find the server, without a slash at its end. */
export function createGiteaClient({ url, token }: { readonly url: string; readonly token: string }): GiteaClient {
  const ask = withinLimit(fetchInTime);
  let login: Promise<string | undefined> | undefined;

  const send = async (
    path: string,
    { action, body, method = "GET", statuses = [] }: Omit<GiteaCall, "repository" | "path">,
  ): Promise<GiteaAnswer> => {
    const response = await ask(`${url}/api/v1${path}`, {
      method,
      headers: {
        accept: "application/json",
        authorization: `token ${token}`,
        "user-agent": "stackling",
        ...(body ? { "content-type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).catch((error: unknown) => {
      throw notReached(action, error);
    });
    const text = await textOf(response).catch((error: unknown) => {
      throw notReached(action, error);
    });
    const { status } = response;
    if (response.ok) return { status, ...parsed(text), ...totalOf(response) };
    if (statuses.includes(status) && !isRateLimit(response)) return { status, data: undefined };
    throw answeredWith(action, status);
  };

  return {
    call: ({ repository, path, ...call }) => send(`${placeOf(repository)}${path}`, call),
    async version() {
      const action = "asking for the server's version";
      const { data } = await send("/version", { action });
      const found = z.object({ version: z.string().min(1).max(100) }).safeParse(data);
      if (found.success) return found.data.version;
      throw unreachable(`${action}: the answer is not Gitea's`);
    },
    login() {
      login ??= send("/user", { action: "asking who we are", statuses: [403, 404] }).then(
        ({ data }) => z.object({ login: z.string() }).safeParse(data).data?.login,
      );
      login.catch(() => {
        login = undefined;
      });
      return login;
    },
  };
}

/** What is no JSON has no shape that anybody expects, so that it is refused there. */
function parsed(text: string): { readonly data: unknown } {
  try {
    return { data: text === "" ? undefined : (JSON.parse(text) as unknown) };
  } catch {
    return { data: undefined };
  }
}

function totalOf({ headers }: Response): { readonly total?: number } {
  const said = headers.get("x-total-count");
  return said !== null && /^\d{1,9}$/.test(said) ? { total: Number(said) } : {};
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

/** Errors are told by status alone: a stranger's server's words do not belong in messages. */
function answeredWith(action: string, status: number): StacklingError {
  const meanings: Readonly<Record<number, string>> = {
    401: "the token is not accepted",
    403: "the token has not the right",
    404: "it does not exist, or the token may not see it",
    429: "a rate limit is reached",
  };
  const meaning = meanings[status];
  return unreachable(`${action}: Gitea answered ${status}${meaning ? ` (${meaning})` : ""}`);
}

function notReached(action: string, error: unknown): StacklingError {
  const timedOut = error instanceof Error && /timeout|aborted/i.test(`${error.name} ${error.message}`);
  return unreachable(`${action}: Gitea ${timedOut ? "did not answer in time" : "cannot be reached"}`, error);
}

/** The request that failed is left out of the cause: it holds the token. */
function unreachable(userMessage: string, error?: unknown): StacklingError {
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : undefined;
  return new StacklingError({ reason: "Unreachable", userMessage, ...(cause ? { cause } : {}) });
}

/** A refusal for want of rest passes by itself and says nothing about rights. */
function isRateLimit({ status, headers }: Response): boolean {
  return status === 429 || headers.has("retry-after");
}

function placeOf(repository: string): string {
  const [owner, name, rest] = repository.split("/");
  const isName = (part: string | undefined) => part !== undefined && /^[\w.-]*[\w-][\w.-]*$/.test(part);
  if (rest === undefined && isName(owner) && isName(name)) return `/repos/${owner}/${name}`;
  throw unreachable(`reading repository "${repository}": a repository of Gitea is written as "owner/name"`);
}
