/** How every page of the gateway is sent: never kept, never framed, never found by search engines. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Html, styleElement } from "../html.ts";

export interface PageStyle {
  readonly element: Html;
  /** Value of Content-Security-Policy: this style, and forms that go to our own host where there are some. */
  readonly policy: string;
}

export interface PageAnswer {
  readonly status: number;
  readonly type: "text/html" | "text/plain" | "application/json";
  readonly body: string;
  readonly policy: string;
  readonly retryAfter?: number;
  /** `same-origin` where a form has to say where it comes from. Default `no-referrer`. */
  readonly referrer?: "same-origin";
}

/** `files` are style sheets, relative to this folder. */
export function pageStyle(files: readonly string[], { forms = false }: { readonly forms?: boolean } = {}): PageStyle {
  const style = files.map((file) => readFileSync(new URL(file, import.meta.url), "utf8")).join("\n");
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    "base-uri 'none'",
    `form-action ${forms ? "'self'" : "'none'"}`,
    "frame-ancestors 'none'",
  ];
  return { element: styleElement(style), policy: policy.join("; ") };
}

/** Does nothing when an answer has begun or the client is gone. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: PageAnswer): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = answer.status;
  response.setHeader("Content-Type", `${answer.type}; charset=utf-8`);
  response.setHeader("Content-Length", Buffer.byteLength(answer.body));
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Robots-Tag", "noindex, nofollow");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", answer.referrer ?? "no-referrer");
  response.setHeader("Content-Security-Policy", answer.policy);
  response.setHeader("Vary", "Accept");
  if (answer.retryAfter) response.setHeader("Retry-After", answer.retryAfter);
  // What is left of a body is not waited for.
  if (!request.complete) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" ? undefined : answer.body);
}
