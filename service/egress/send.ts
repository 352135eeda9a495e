/** Sends a plain request of a preview on, to an address that was judged. */
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as startRequest,
} from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface SendTo {
  readonly address: string;
  readonly port: number;
  /** Nothing going for so long ends it. */
  readonly idleMs: number;
}

/** Resolves when the answer is over. Rejects when none began, or when either side was cut off. */
export async function send(request: IncomingMessage, response: ServerResponse, to: SendTo): Promise<void> {
  const outgoing = begin(request, to, withoutHop(request.headers));
  response.once("close", () => outgoing.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve).once("error", reject);
  });
  const sent = pipeline(request, outgoing);
  // An answer may come, and be all there is, before everything was sent.
  sent.catch(() => {});
  const answer = await answered;
  response.writeHead(answer.statusCode ?? 502, withoutHop(answer.headers));
  await pipeline(answer, response);
}

/** The same where another protocol is asked for, such as WebSocket. Resolves once the two are joined. */
export async function sendUpgrade(
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  to: SendTo,
): Promise<void> {
  const { upgrade = "" } = request.headers;
  const outgoing = begin(request, to, { ...withoutHop(request.headers), connection: "upgrade", upgrade });
  socket.once("close", () => outgoing.destroy());
  await new Promise<void>((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", () => reject(new Error("the upgrade was declined")));
    outgoing.once("upgrade", (answer, upstream, rest) => {
      socket.write(headOf(answer));
      if (rest.length > 0) socket.write(rest);
      if (head.length > 0) upstream.write(head);
      upstream.setTimeout(to.idleMs, () => upstream.destroy());
      upstream.on("error", () => upstream.destroy()).once("close", () => socket.destroy());
      socket.on("error", () => socket.destroy()).once("close", () => upstream.destroy());
      socket.pipe(upstream).pipe(socket);
      resolve();
    });
    outgoing.end();
  });
}

function begin(
  { method, url: path }: IncomingMessage,
  { address, port, idleMs }: SendTo,
  headers: IncomingHttpHeaders,
) {
  const outgoing = startRequest({ host: address, port, method, path, headers, setHost: false, agent: false });
  outgoing.setTimeout(idleMs, () => outgoing.destroy(new Error(`nothing came for ${idleMs} ms`)));
  return outgoing;
}

/** Of one connection, and the credentials, which are for us: RFC 9110, sections 7.6.1 and 11.7. */
const HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
];

function withoutHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? "").toLowerCase().split(",");
  const gone = new Set([...HOP, ...named.map((name) => name.trim()).filter((name) => !FRAMING.has(name))]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !gone.has(name)));
}

/** Nobody may have these taken out by naming them in Connection. */
const FRAMING = new Set(["host", "content-length", "transfer-encoding"]);

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join("\r\n")}\r\n\r\n`;
}
