/** Sends an application's answer on, with the banner in it where it is a page that a person sees. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { codingOf } from "./codings.ts";
import { amendPolicies, type BannerSources } from "./policy.ts";

export interface PageBanner {
  /** The element that brings the banner; ASCII. */
  readonly markup: string;
  readonly sources: BannerSources;
}

const POLICIES = ["content-security-policy", "content-security-policy-report-only"];
/** True of the application's bytes and not of ours. Without a validator no browser asks whether a page with the banner changed. */
const OF_THE_BYTES = [
  "content-length",
  "etag",
  "last-modified",
  "accept-ranges",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
] as const;
/** Where `<` is no `<` in the bytes (Encoding Standard); a parser that reads bytes would be led astray. */
const UNREADABLE = new Set(["utf-16le", "utf-16be", "iso-2022-jp"]);

/** Head and body, in place of the proxy itself. The head is set when it returns. */
export function sendWithBanner(upstream: IncomingMessage, response: ServerResponse, page: PageBanner): void {
  const coding = isPage(upstream) ? codingOf(upstream.headers["content-encoding"]) : undefined;
  if (coding !== undefined) changeHead(upstream, page);
  copyHead(upstream, response);
  if (coding === undefined) {
    upstream.pipe(response);
    return;
  }
  // Loaded with the first page: whoever has no previews open pays nothing for it.
  import("./inject.ts")
    .then(({ createInjector }) => {
      const amendPolicy = (policy: string) => amendPolicies(policy, page.sources);
      const injector = createInjector({ markup: page.markup, amendPolicy });
      const ways = coding === "plain" ? [injector] : [coding.decoder(), injector, coding.encoder()];
      // The proxy ends what comes from the application when the visitor goes; the rest follows from that.
      pipeline([upstream, ...ways], (error) => {
        if (error) response.destroy();
      });
      ways.at(-1)?.pipe(response);
    })
    .catch(() => response.destroy());
}

/** A whole HTML page to be shown and in an encoding that can be read, which its sender lets others change (RFC 9111 §5.2.2.6). */
function isPage({ statusCode, headers }: IncomingMessage): boolean {
  if (statusCode !== 200 || headers["content-range"] !== undefined) return false;
  const type = headers["content-type"] ?? "";
  if (!/^\s*text\/html\s*(;|$)/i.test(type)) return false;
  if (/^\s*attachment/i.test(headers["content-disposition"] ?? "")) return false;
  if (/\bno-transform\b/i.test(headers["cache-control"] ?? "")) return false;
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type) ?? [];
  return charset === undefined || !UNREADABLE.has(encodingOf(charset));
}

/** Browsers take one that they do not know for none at all. */
function encodingOf(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return "unknown";
  }
}

function changeHead({ headers }: IncomingMessage, { sources }: PageBanner): void {
  for (const name of OF_THE_BYTES) headers[name] = undefined;
  for (const name of POLICIES) {
    const policies = headers[name];
    if (typeof policies === "string") headers[name] = amendPolicies(policies, sources);
  }
  const { vary } = headers;
  if (!vary?.includes("*")) headers.vary = vary ? `${vary}, Sec-Fetch-Dest` : "Sec-Fetch-Dest";
}

function copyHead({ headers, statusCode = 502, statusMessage }: IncomingMessage, response: ServerResponse): void {
  response.statusCode = statusCode;
  if (statusMessage) response.statusMessage = statusMessage;
  for (const [name, value] of Object.entries(headers)) {
    // How the body is framed is for this side to say.
    if (value !== undefined && name !== "transfer-encoding") setHeader(response, name, value);
  }
}

/** Node reads headers that it refuses to write. */
function setHeader(response: ServerResponse, name: string, value: string | string[]): void {
  try {
    response.setHeader(name, value);
  } catch {
    // As the proxy does with any other answer.
  }
}
