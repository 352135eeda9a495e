/** The banner's script and style sheet, at addresses that change with them, and the one its facts are at. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";

const OWN = "/.stackling/banner";
export const FACTS_PATH = `${OWN}.json`;

interface File {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

const script = fileOf("banner.js", "text/javascript");
const style = fileOf("banner.css", "text/css");
export const SCRIPT_PATH = script.path;
export const STYLE_PATH = style.path;

const YEAR_SECONDS = 31_536_000;

/** Whether an address is one of the banner's. */
export function isBannerPath(url: string): boolean {
  // The second character decides for nearly all.
  return (
    url.charCodeAt(1) === 46 /* "." */ && url.startsWith(OWN) && /^(\.json|\/[^?]*)(\?|$)/.test(url.slice(OWN.length))
  );
}

/** Answers for an address of the banner's; `facts` is asked where it is theirs. */
export function sendBannerFile(request: IncomingMessage, response: ServerResponse, facts: () => string): void {
  const path = (request.url ?? "").replace(/\?.*$/s, "");
  const isRead = request.method === "GET" || request.method === "HEAD";
  send(request, response, isRead ? sentAt(path, facts) : { status: 405 });
}

function sentAt(path: string, facts: () => string): Sent {
  if (path === FACTS_PATH) return { status: 200, type: "application/json", body: Buffer.from(facts()) };
  // A page of another replica, of another version, names its own: it gets ours, and does not keep it.
  const file = [script, style].find((one) => extensionOf(one.path) === extensionOf(path));
  if (!file) return { status: 404 };
  return { status: 200, ...file, ...(file.path === path ? { keptSeconds: YEAR_SECONDS } : {}) };
}

interface Sent {
  readonly status: 200 | 404 | 405;
  readonly type?: string;
  readonly body?: Buffer;
  readonly keptSeconds?: number;
}

function send(request: IncomingMessage, response: ServerResponse, sent: Sent): void {
  const { status, type = "text/plain", body = Buffer.from(status === 404 ? "Not Found\n" : ""), keptSeconds } = sent;
  response.statusCode = status;
  response.setHeader("Content-Type", `${type}; charset=utf-8`);
  response.setHeader("Content-Length", body.length);
  // Not by caches of many: it passed a door to come here.
  response.setHeader("Cache-Control", keptSeconds ? `private, max-age=${keptSeconds}, immutable` : "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Robots-Tag", "noindex, nofollow");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  if (status === 405) response.setHeader("Allow", "GET, HEAD");
  if (!request.complete) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" ? undefined : body);
}

function fileOf(name: string, type: string): File {
  const body = readFileSync(new URL(`../assets/${name}`, import.meta.url));
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 16);
  return { path: `${OWN}/${hash}${extensionOf(name)}`, type, body };
}

function extensionOf(path: string): string {
  return /\.[a-z]+$/.exec(path)?.[0] ?? "";
}
