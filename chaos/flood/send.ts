/** Bytes into a port and the answer's status out of it: no client that corrects what it is given. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Post } from "./deliveries.ts";

export interface Outcome {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  readonly retryAfter: boolean;
}

export const PATH = "/webhooks/github";
const PATIENCE_MS = 60_000;

/** Never rejects. Resolves when the answer's head is there, or the connection is over. */
export async function send(port: number, { headers, body, answered }: Post): Promise<Outcome> {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const own = [
    ...(names.has("host") ? [] : [["host", `127.0.0.1:${port}`] as const]),
    ...(names.has("content-length") || names.has("transfer-encoding")
      ? []
      : [["content-length", String(body.length)] as const]),
    ["connection", "close"] as const,
  ];
  const head = [`POST ${PATH} HTTP/1.1`, ...[...own, ...headers].map(([name, value]) => `${name}: ${value}`), "", ""];
  return exchange(port, { parts: [Buffer.from(head.join("\r\n"), "latin1"), body], ends: !answered });
}

interface Bytes {
  readonly parts: readonly Buffer[];
  /** Whether our side is closed behind them: what claims to be longer is then known to have broken off. */
  readonly ends: boolean;
}

/** Whatever the bytes are. */
export async function exchange(port: number, { parts, ends }: Bytes): Promise<Outcome> {
  const socket = await dial(port);
  if (!socket) return { status: 0, retryAfter: false };
  const answer = headOf(socket);
  for (const part of parts) socket.write(part);
  if (ends) socket.end();
  const text = await answer;
  socket.destroy();
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    retryAfter: /^retry-after:/im.test(text),
  };
}

/** A connection that nobody listens to the errors of; undefined when none was made. */
export async function dial(port: number): Promise<Socket | undefined> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  socket.on("error", () => {});
  return socket;
}

/** Up to the end of the final answer's head; what came of it when the connection ended before. */
export function headOf(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const timer = setTimeout(() => resolve(text), PATIENCE_MS);
  const end = () => {
    clearTimeout(timer);
    resolve(text);
  };
  socket.on("data", (data) => {
    text += data.toString("latin1");
    text = text.replace(/^HTTP\/1\.1 1\d\d[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/, "");
    if (text.includes("\r\n\r\n")) end();
  });
  socket.once("close", end);
  return promise;
}
