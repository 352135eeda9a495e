/** Carries a tunnel's bytes, once it is known whom they are for. */
import { connect, type Socket } from "node:net";

export interface RelayTo {
  readonly address: string;
  readonly port: number;
}

export interface RelayLimits {
  /** Nothing going for so long ends it. */
  readonly idleMs: number;
  readonly connectMs: number;
}

/** Dials and joins the two; either's end is the other's. */
export function relay(socket: Socket, { address: host, port }: RelayTo, { idleMs, connectMs }: RelayLimits): void {
  const upstream = connect({ host, port, allowHalfOpen: true });
  const end = () => {
    socket.destroy();
    upstream.destroy();
  };
  const late = setTimeout(end, connectMs);
  upstream.once("connect", () => clearTimeout(late));
  for (const side of [socket, upstream]) {
    side.setTimeout(idleMs, end);
    side.on("error", end).on("close", () => clearTimeout(late));
  }
  // What one had still to say is written before it goes.
  socket.once("close", () => upstream.destroySoon());
  upstream.once("close", () => socket.destroySoon());
  socket.pipe(upstream).pipe(socket);
}
