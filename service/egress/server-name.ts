/** What a client says first in a tunnel: which host its TLS handshake names, or that it speaks plainly. */
import type { Socket } from "node:net";

export type FirstWords =
  | { readonly kind: "tls" /** As it stands there; undefined where none is named. */; readonly serverName?: string }
  /** Not TLS: HTTP, if it is anything. */
  | { readonly kind: "plain" };

/** Reads no more than the first message and puts it back. Rejects when the connection ends, or `signal` aborts, before. */
export async function readFirstWords(socket: Socket, signal: AbortSignal): Promise<FirstWords> {
  const first = await firstByte(socket, signal);
  if (first !== TLS_HANDSHAKE) return { kind: "plain" };
  const { getExtensionData, readTlsClientHello } = await import("read-tls-client-hello");
  const cut = () => socket.destroy(new Error("the TLS handshake did not go on"));
  signal.addEventListener("abort", cut, { once: true });
  try {
    const hello = await readTlsClientHello(socket);
    const named = hello.extensions.filter(({ id }) => id === SERVER_NAME);
    // Two programs may read two of them differently.
    if (named.length > 1) return { kind: "tls", serverName: "" };
    const serverName = getExtensionData(hello, "server_name")?.serverName;
    return { kind: "tls", ...(serverName === undefined ? {} : { serverName }) };
  } finally {
    signal.removeEventListener("abort", cut);
  }
}

/** Content type of a record: RFC 8446, section 5.1. */
const TLS_HANDSHAKE = 0x16;
/** Extension type: RFC 6066, section 3. */
const SERVER_NAME = 0;

function firstByte(socket: Socket, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off("readable", look).off("end", onEnd).off("close", onEnd).off("error", settle);
      signal.removeEventListener("abort", onAbort);
      if (error) reject(error);
    };
    const look = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      settle();
      socket.unshift(chunk);
      resolve(chunk[0]);
    };
    const onEnd = () => settle(new Error("the connection ended before anything was said"));
    const onAbort = () => settle(new Error("nothing was said"));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("readable", look).on("end", onEnd).on("close", onEnd).on("error", settle);
    look();
  });
}
