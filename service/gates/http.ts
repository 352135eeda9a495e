/**
 * Requests to what serves, at its private address: never by a name that the application chose, never past the
 * preview, and bounded in time and bytes.
 */
import { Agent, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { isIP } from "node:net";
import { parseAddress } from "../gateway/addresses.ts";
import type { Place } from "../world.ts";

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** As visitors ask for it. */
  readonly url: string;
  readonly body?: string;
  readonly accept?: string;
  /** In all, from the connection on. */
  readonly timeoutMs: number;
  readonly bodyBytes: number;
  readonly signal: AbortSignal;
  /** Kept connections; absent: one of its own. */
  readonly agents?: Agents;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case; several of one name joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** No more than `bodyBytes` of it. */
  readonly body: Buffer;
  /** Of the body as it was transferred, as far as it was read. */
  readonly bytes: number;
  readonly cut: boolean;
  readonly firstByteMs: number;
}

export interface Agents {
  readonly plain: Agent;
  readonly secure: SecureAgent;
  close(): void;
}

/** Rejects with an `Error` whose message is the rest of a sentence: `it did not answer within 10 s`. */
export async function ask(place: Place, asked: Asked): Promise<Answer> {
  const { timeoutMs, signal } = asked;
  signal.throwIfAborted();
  const over = AbortSignal.timeout(timeoutMs);
  try {
    return await exchange(place, asked, AbortSignal.any([signal, over]));
  } catch (error) {
    signal.throwIfAborted();
    const late = `it did not answer within ${timeoutMs / 1000} s`;
    throw new Error(over.aborted ? late : wordsOf(error), { cause: error });
  }
}

/** Connections of one measure, so that a page's parts come over few of them as in a browser. */
export function createAgents(maxSockets: number): Agents {
  const plain = new Agent({ keepAlive: true, maxSockets });
  const secure = new SecureAgent({ keepAlive: true, maxSockets });
  return {
    plain,
    secure,
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

function exchange(place: Place, asked: Asked, signal: AbortSignal): Promise<Answer> {
  const target = parseAddress(place.address);
  if (!target) return Promise.reject(new Error("it has no address"));
  const { method, path, body, agents, bodyBytes } = asked;
  const { tls, header } = place.reach ?? {};
  const options = {
    host: target.host,
    port: target.port,
    method,
    path,
    signal,
    headers: {
      ...visitorHeaders(asked),
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      ...(header && { [header.name]: header.value }),
    },
  };
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const sent = tls
      ? secureRequest({
          ...options,
          agent: agents?.secure ?? false,
          servername: isIP(tls.serverName) === 0 ? tls.serverName : "",
          ...(tls.ca && { ca: tls.ca }),
        })
      : plainRequest({ ...options, agent: agents?.plain ?? false });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const firstByteMs = performance.now() - began;
      readBody(response, bodyBytes).then((read) => {
        // What is not read any more is not waited for.
        if (read.cut) sent.destroy();
        resolve({ status: response.statusCode ?? 0, headers: headersOf(response), ...read, firstByteMs });
      }, reject);
    });
    sent.end(body);
  });
}

/** As the gateway hands a visitor's request on. */
function visitorHeaders({ url, accept }: Asked): Record<string, string> {
  const { host, protocol } = new URL(url);
  return {
    host,
    accept: accept ?? "*/*",
    "user-agent": "stackling-check",
    "x-forwarded-host": host,
    "x-forwarded-proto": protocol.slice(0, -1),
  };
}

async function readBody(
  response: IncomingMessage,
  most: number,
): Promise<{ readonly body: Buffer; readonly bytes: number; readonly cut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) return { body: Buffer.concat(chunks), bytes, cut: true };
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), bytes, cut: false };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}

function wordsOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return "it took no connection";
  if (code === "ECONNRESET" || code === "EPIPE") return "it closed the connection without an answer";
  if (code.startsWith("HPE_")) return "its answer is not HTTP";
  return code === "" ? "asking it failed" : `asking it failed (${code})`;
}
