/** Who asked may leave before they are answered. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Aborts when they left, also where that was before: "close" is told once, and not to who begins to listen after it. */
export function whenLeft(connection: ServerResponse | Duplex): AbortSignal {
  const left = new AbortController();
  if (connection.destroyed) left.abort();
  else connection.once("close", () => left.abort());
  return left.signal;
}
