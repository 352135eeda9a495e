import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { describe, it } from "node:test";
import { RejectedDeliveryError } from "../../../components/errors.ts";
import { createBodyReader } from "../../../service/api/body.ts";
import { eventually } from "../../support/eventually.ts";

const MIB = 1024 * 1024;

describe("the reader of bodies", () => {
  it("refuses more when many that are just not large would fill the memory", async () => {
    const read = createBodyReader({ maxBytes: 2 * MIB, largeBodies: 1 });
    const refused: string[] = [];
    const server = createServer((incoming, response) => {
      read(incoming).catch((error: unknown) => {
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
