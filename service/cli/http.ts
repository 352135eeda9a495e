import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

export interface Call {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/**
 * Sends one request. Names under `localhost` are dialled at 127.0.0.1 with their own Host header:
 * browsers and curl resolve them, most systems' resolvers do not.
 */
export function send(
  address: string,
  { method = "GET", headers = {}, body, signal }: Call = {},
): Promise<IncomingMessage> {
  const url = new URL(address);
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)(
      {
        method,
        host: isLocalName(url.hostname) ? "127.0.0.1" : url.hostname,
        port: url.port || (secure ? 443 : 80),
        path: `${url.pathname}${url.search}`,
        headers: {
          ...headers,
          host: url.host,
          ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
        },
        ...(secure ? { servername: url.hostname } : {}),
        ...(signal ? { signal } : {}),
      },
      resolve,
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

export async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** True for names that RFC 6761 §6.3 reserves for this machine. */
function isLocalName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}
