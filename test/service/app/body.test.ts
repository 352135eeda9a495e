import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, IncomingMessage, request } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { RejectedDeliveryError } from "../../../components/errors.ts";
import { createBodyReader } from "../../../service/api/body.ts";
import { eventually } from "../../support/eventually.ts";

const MIB = 1024 * 1024;

describe("the reader of bodies", () => {
  it("gives a large body byte for byte, in pieces of any size, and takes its memory back behind the use", async () => {
    const withBody = createBodyReader({ maxBytes: 5 * MIB, largeBodies: 1 });
    const sent = randomBytes(5 * MIB);
    let left: Buffer | undefined;
    const pieces = [1, MIB - 1, 1, 70_000, 2 * MIB].map((length, index, all) => {
      const begin = all.slice(0, index).reduce((sum, size) => sum + size, 0);
      return sent.subarray(begin, begin + length);
    });
    pieces.push(sent.subarray(pieces.reduce((sum, piece) => sum + piece.length, 0)));
    const isSame = await withBody(arriving(pieces), async (body) => {
      left = body;
      return body.equals(sent);
    });
    assert.equal(isSame, true);
    assert.equal(left?.length, 0);
  });

  it("counts a large body as held until its use is over, however that ends", async () => {
    const withBody = createBodyReader({ maxBytes: 2 * MIB, largeBodies: 1 });
    const inUse = Promise.withResolvers<void>();
    const use = Promise.withResolvers<void>();
    const large = () => arriving([Buffer.alloc(MIB), Buffer.alloc(MIB)]);
    const first = withBody(large(), () => {
      inUse.resolve();
      return use.promise;
    });
    await inUse.promise;
    const size = async (body: Buffer) => body.length;
    await assert.rejects(withBody(large(), size), { reason: "Busy", status: 503 });
    assert.equal(await withBody(arriving([Buffer.alloc(MIB)]), size), MIB);
    use.reject(new Error("the use failed"));
    await assert.rejects(first, { message: "the use failed" });
    assert.equal(await withBody(large(), size), 2 * MIB);
  });

  it("refuses more when many that are just not large would fill the memory", async () => {
    const withBody = createBodyReader({ maxBytes: 2 * MIB, largeBodies: 1 });
    const refused: string[] = [];
    const server = createServer((incoming, response) => {
      withBody(incoming, async () => {}).catch((error: unknown) => {
        if (error instanceof RejectedDeliveryError) refused.push(error.reason);
        response.destroy();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address);
    const senders = Array.from({ length: 80 }, () => {
      const sender = request({ port: address.port, host: "127.0.0.1", method: "POST" });
      sender.on("error", () => {});
      sender.write(Buffer.alloc(MIB - 1));
      return sender;
    });
    try {
      await eventually(() => refused.length > 0, { timeoutMs: 8_000 });
      assert.ok(refused.every((reason) => reason === "Busy"));
    } finally {
      for (const sender of senders) sender.destroy();
      server.closeAllConnections();
      server.close();
    }
  });
});

/** A request without a claim about its length. */
function arriving(pieces: readonly Buffer[]): IncomingMessage {
  const incoming = new IncomingMessage(new Socket());
  for (const piece of pieces) incoming.push(piece);
  incoming.push(null);
  return incoming;
}
