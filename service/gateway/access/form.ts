import type { IncomingMessage } from "node:http";

/** A password of 1,024 characters, escaped, and an address to go back to. */
const BYTES_MAX = 16 * 1024;

/** The fields of a posted form; undefined when it is no form, or larger than 16 KiB. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!request.headers["content-type"]?.toLowerCase().startsWith("application/x-www-form-urlencoded")) return undefined;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BYTES_MAX) return undefined;
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString("utf8"));
}
