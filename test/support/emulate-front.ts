/**
 * What the emulator 0.12.2 lacks and GitHub has: a pull request's head follows pushes, answers bear
 * ETags, and only known credentials are let in. Breaks single answers where a test asks for it.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Apps } from "./emulate-apps.ts";
import type { Talk } from "./emulate-comments.ts";
import { type GitServer, isGitPath } from "./emulate-git.ts";
import type { Records } from "./emulate-records.ts";
import { mayAsk, type Rights } from "./emulate-rights.ts";

export interface Fault {
  readonly method?: string;
  readonly path: RegExp;
  /** 0: never answers. */
  readonly status: number;
  /** What was asked for is done all the same: only its answer is lost. */
  readonly isDone?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** What was sent. */
  readonly body: string;
}

export interface ChangedFile {
  readonly filename: string;
  readonly status: string;
  readonly previous_filename?: string;
}

/** What the repository was called and what it is now. */
export interface Renames {
  readonly old: ReadonlySet<string>;
  readonly now: string;
  readonly id: number;
}

export interface Front {
  /** Address of the emulator itself. */
  readonly inner: string;
  readonly tokens: ReadonlySet<string>;
  /** Installations' tokens that are over. */
  readonly ended?: ReadonlySet<string>;
  /** What the App may do where it is installed. */
  readonly granted: Rights;
  /** Head by number, for pull requests that were pushed to. */
  readonly heads: ReadonlyMap<number, string>;
  readonly faults: ReadonlySet<Fault>;
  readonly requests: SeenRequest[];
  readonly git: GitServer;
  /** Undefined before the first. */
  readonly renames?: Renames;
  /** Files of a pull request as GitHub lists them, of which the emulator only knows how many. */
  readonly filesOf?: (number: number) => Promise<readonly ChangedFile[]>;
  /** Statuses and deployments; undefined for a server without. */
  readonly records?: Records;
  readonly talk: Talk;
  /** Making Apps, their installations, deliveries and events. */
  readonly apps?: Pick<Apps, "answer">;
  /** Called with the service's own comments, too. */
  readonly onComment: (number: number, comment: MadeComment) => void;
}

export interface MadeComment {
  readonly id: number;
  readonly created_at: string;
  readonly user: { readonly login: string; readonly type: string };
}

/** Answers one request of the code under test. */
export async function answerAsGithub(front: Front, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? "GET";
  // As GitHub Enterprise Server has it.
  const path = (request.url ?? "/").replace(/^\/api\/v3(?=\/)/, "");
  if (isGitPath(path)) {
    const [, name = "", rest = ""] = /^\/([^/]+\/[^/]+)\.git(\/.*)$/.exec(path) ?? [];
    if (!front.renames?.old.has(name)) return front.git.answer(request, response);
    response.writeHead(301, { location: `/${front.renames.now}.git${rest}` }).end();
    return;
  }
  const body = await readAll(request);
  const fault = [...front.faults].find((one) => (one.method ?? method) === method && one.path.test(path));
  if (fault?.status === 0) {
    front.requests.push({ method, path, status: 0, body });
    return;
  }
  const asked = { method, path, body, headers: request.headers };
  if (fault?.isDone) await ask(front, asked);
  const found = fault ? broken(fault) : await ask(front, asked);
  const etag = `W/"${createHash("sha256").update(found.body).digest("hex").slice(0, 32)}"`;
  const isSame = method === "GET" && found.status === 200 && request.headers["if-none-match"] === etag;
  const status = isSame ? 304 : found.status;
  front.requests.push({ method, path, status, body });
  const withEtag = method === "GET" && found.status === 200 ? { etag } : {};
  response.writeHead(status, { ...found.headers, ...withEtag });
  response.end(isSame ? "" : found.body);
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function broken({ status, headers, body }: Fault): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: body ?? JSON.stringify({ message: "broken for a test" }),
  };
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

async function ask(front: Front, { method, path, body, headers }: Asked): Promise<Answer> {
  const { tokens, renames, apps, granted } = front;
  const { authorization } = headers;
  if (!mayAsk(granted, { method, path, authorization })) {
    return broken({ path: /^/, status: 403, body: '{"message":"Resource not accessible by integration"}' });
  }
  const ofApps = await apps?.answer({ method, path, body, ...(authorization ? { authorization } : {}) });
  if (ofApps) return ofApps;
  const token = /^(?:token|bearer) (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (token && (front.ended?.has(token) || (!tokens.has(token) && !/^(eyJ|ghs_)/.test(token)))) {
    return broken({ path: /^/, status: 401, body: '{"message":"Bad credentials"}' });
  }
  const renamed = renames && movedTo(renames, method, path);
  if (renamed && "location" in renamed) return renamed.location;
  return askAt(front, { method, path: renamed?.path ?? path, body, headers });
}

/** GitHub sends on by the repository's id, reads by 301 and writes by 307. Source: REST API, "Follow redirects". */
function movedTo(
  { old, now, id }: Renames,
  method: string,
  path: string,
): { path: string } | { location: Answer } | undefined {
  const [, name = "", rest = ""] = /^\/repos\/([^/]+\/[^/?]+)(.*)$/.exec(path) ?? [];
  const [, byId, below = ""] = /^\/repositories\/([0-9]+)(.*)$/.exec(path) ?? [];
  if (byId === String(id)) return { path: `/repos/${now}${below}` };
  if (!old.has(name)) return undefined;
  const headers = { "content-type": "application/json", location: `/repositories/${id}${rest}` };
  return { location: { status: method === "GET" ? 301 : 307, headers, body: '{"message":"Moved Permanently"}' } };
}

async function askAt(
  { inner, heads, records, filesOf, talk, onComment }: Front,
  { method, path, body, headers }: Asked,
): Promise<Answer> {
  const recorded = records?.answer({ method, path, body }) ?? talk.answer({ method, path, body });
  if (recorded) return { ...recorded, headers: { "content-type": "application/json" } };
  const [, number] = /^\/repos\/[^/]+\/[^/]+\/pulls\/([0-9]+)\/files(?:\?|$)/.exec(path) ?? [];
  if (number && filesOf) return page(await filesOf(Number(number)), new URL(path, inner).searchParams);
  const answer = await fetch(`${inner}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      accept: headers.accept ?? "*/*",
      ...(headers.authorization ? { authorization: headers.authorization } : {}),
    },
    ...(body === "" ? {} : { body }),
  });
  const given = await answer.text();
  const [, commented] = /\/issues\/([0-9]+)\/comments$/.exec(path) ?? [];
  if (commented && answer.status === 201) onComment(Number(commented), JSON.parse(given) as MadeComment);
  const text = answer.ok ? talk.asShown(path, given) : given;
  const kept = ["content-type", "link", "x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset"];
  return {
    status: answer.status,
    headers: Object.fromEntries(
      kept.flatMap((name) => ((value) => (value ? [[name, value]] : []))(answer.headers.get(name))),
    ),
    body: /\/pulls(\/[0-9]+)?(\?|$)/.test(path) && answer.ok ? await asChanged(text, { heads, filesOf }) : text,
  };
}

function page(all: readonly unknown[], query: URLSearchParams): Answer {
  const size = Number(query.get("per_page") ?? 30);
  const start = (Number(query.get("page") ?? 1) - 1) * size;
  const body = JSON.stringify(all.slice(start, start + size));
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

async function asChanged(text: string, { heads, filesOf }: Pick<Front, "heads" | "filesOf">): Promise<string> {
  const data = JSON.parse(text) as Pull | Pull[];
  for (const pull of Array.isArray(data) ? data : [data]) {
    pull.head.sha = heads.get(pull.number) ?? pull.head.sha;
  }
  // A list does not say how many files, as GitHub's does not.
  if (!Array.isArray(data) && filesOf) data.changed_files = (await filesOf(data.number)).length;
  return JSON.stringify(data);
}

interface Pull {
  readonly number: number;
  readonly head: { sha: string };
  changed_files?: number;
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}
