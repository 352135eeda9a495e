/**
 * Takes requests that were meant for others: webhooks as they are, and text messages by what such APIs commonly call
 * their parts. Whatever comes is answered as if it had been taken.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { beginning } from "./beginning.ts";
import type { Received } from "./entries.ts";
import type { Store } from "./store.ts";

/** Of one request's body; of more the beginning is kept. */
export const BODY_BYTES = 1024 * 1024;
const SUBJECT_CHARACTERS = 200;

export type Recorded = "sms" | "webhooks";

/** Records the request and answers it. */
export async function record(
  { store, kind }: { readonly store: Store; readonly kind: Recorded },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // One byte more than is kept tells that there was more.
  const body = await buffer(request.pipe(beginning(BODY_BYTES + 1)));
  const kept = body.subarray(0, BODY_BYTES);
  const received = kind === "sms" ? messageOf(request, kept) : webhookOf(request, kept, body.length > kept.length);
  const { id } = await store.add(received, kept);
  const text = JSON.stringify(kind === "sms" ? { id, sid: id, status: "queued" } : { received: true, id });
  response.writeHead(kind === "sms" ? 201 : 200, { "content-type": "application/json" });
  response.end(request.method === "HEAD" ? undefined : text);
}

function webhookOf(request: IncomingMessage, body: Buffer, cut: boolean): Received {
  const { method = "GET", url: path = "/", rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""] as const] : [],
  );
  const from = request.headers["user-agent"] ?? "";
  const what = fieldsOf(request, body);
  const event = request.headers["x-github-event"] ?? firstOf(what, ["event", "type", "action", "topic"]);
  const subject = `${method} ${path}${event ? ` · ${event}` : ""}`.slice(0, SUBJECT_CHARACTERS);
  return { kind: "webhook", from, to: [request.headers.host ?? ""], subject, method, path, headers, cut };
}

function messageOf(request: IncomingMessage, body: Buffer): Received {
  const fields = fieldsOf(request, body);
  const to = firstOf(fields, ["to", "recipient", "recipients", "phone", "phonenumber", "msisdn", "destination"]);
  const from = firstOf(fields, ["from", "sender", "originator", "src"]);
  const text = firstOf(fields, ["body", "text", "message", "content", "msg"]);
  return {
    kind: "sms",
    from: from ?? "",
    to: (to ?? "").split(",").map((one) => one.trim()),
    subject: text ?? body.toString("utf8").slice(0, SUBJECT_CHARACTERS),
  };
}

/** Of a form or of JSON, by name in small letters without signs; of anything else none. */
function fieldsOf({ url = "/", headers }: IncomingMessage, body: Buffer): ReadonlyMap<string, string> {
  const type = headers["content-type"] ?? "";
  const pairs: (readonly [string, unknown])[] = [...new URLSearchParams(url.split("?")[1])];
  if (type.includes("json")) pairs.push(...jsonPairs(body.toString("utf8")));
  else if (type.includes("urlencoded")) pairs.push(...new URLSearchParams(body.toString("utf8")));
  return new Map(
    pairs.map(([name, value]) => [
      name.toLowerCase().replace(/[^a-z]/g, ""),
      Array.isArray(value) ? value.map(textOf).join(", ") : textOf(value),
    ]),
  );
}

function jsonPairs(text: string): readonly (readonly [string, unknown])[] {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null ? Object.entries(found) : [];
  } catch {
    return [];
  }
}

/** APIs that take several wrap each number or text once more. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === undefined ? "" : String(value);
  const inner = Object.values(value)[0];
  return typeof inner === "string" || typeof inner === "number" ? String(inner) : JSON.stringify(value);
}

function firstOf(fields: ReadonlyMap<string, string>, names: readonly string[]): string | undefined {
  return names.map((name) => fields.get(name)).find((value) => value !== undefined && value !== "");
}
