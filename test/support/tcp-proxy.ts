/** A connection's middle, which may be slow or away. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

export interface TcpProxy {
  /** On 127.0.0.1; the same after it was away. */
  readonly port: number;
  /** What comes through from now on is held up for so long, each piece, both ways. */
  delayMs: number;
  /** Cuts what is open and refuses what comes. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const held = () =>
    new Transform({
      transform(chunk, _encoding, done) {
        setTimeout(() => done(undefined, chunk), proxy.delayMs);
      },
    });
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((near) => {
    const far = connect(target);
    for (const socket of [near, far]) track(socket);
    near.once("close", () => far.destroy());
    // What is held up still arrives; only a line that broke ends at once.
    far.once("error", () => near.destroy());
    near.pipe(held()).pipe(far);
    far.pipe(held()).pipe(near);
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const proxy: TcpProxy = {
    port,
    delayMs: 0,
    async leave() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
    comeBack: () => listen(port),
  };
  return proxy;
}
