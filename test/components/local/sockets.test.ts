import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { isFromOthers, isTakenFrom, userOfPeer } from "../../../components/local/sockets.ts";

const NOBODY = 65_534;
const skip = existsSync("/proc/net/tcp") ? false : "this system has no tables of its connections";

describe("whose a connection is", { skip }, () => {
  // The JVM dials IPv4 addresses by sockets of IPv6.
  for (const host of ["127.0.0.1", "::ffff:127.0.0.1"]) {
    it(`is told of one that was begun to ${host}`, async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const client = connect({ host, port });
      try {
        const [met] = (await once(server, "connection")) as [Socket];
        const peer = `${met.remoteAddress}:${met.remotePort}`;
        const user = process.getuid?.() ?? -1;
        assert.equal(await userOfPeer(peer, port), user);
        assert.equal(await isFromOthers(peer, port, [user]), false);
        assert.equal(await isFromOthers(peer, port, [NOBODY]), true);
        met.destroy();
      } finally {
        client.destroy();
        server.close();
      }
    });
  }
});

describe("whether a port is taken from a preview", { skip }, () => {
  const MINE = process.getuid?.() ?? -1;
  const listening = async <T>(host: string, work: (port: number) => Promise<T>): Promise<T> => {
    const server = createServer();
    server.listen(0, host);
    await once(server, "listening");
    try {
      return await work((server.address() as AddressInfo).port);
    } finally {
      server.close();
    }
  };

  for (const host of ["127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1"]) {
    it(`is so by another who listens at ${host}, and not by its own user`, async () => {
      await listening(host, async (port) => {
        assert.equal(await isTakenFrom(NOBODY, port), true);
        assert.equal(await isTakenFrom(MINE, port), false);
        assert.equal(await isTakenFrom(undefined, port), false);
      });
    });
  }

  // Else a preview could make another's page go away, and keep it from waking.
  for (const host of ["127.0.0.2", "::1"]) {
    it(`is not so by another who listens at ${host}, where nobody is led to`, async () => {
      await listening(host, async (port) => assert.equal(await isTakenFrom(NOBODY, port), false));
    });
  }
});
