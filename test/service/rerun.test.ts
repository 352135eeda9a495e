/** What a delivery does that asks for a check again, and what those do that only hint. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { AuditNote } from "../../service/audit.ts";
import type { VerifiedDelivery } from "../../service/forges/forge.ts";
import { createRerun } from "../../service/rerun.ts";
import type { Preview } from "../../service/status.ts";
import { createWebhooks } from "../../service/webhooks.ts";
import { aPreview } from "../support/previews.ts";

describe("a check that is asked for again", () => {
  let preview: Preview;
  let delivery: VerifiedDelivery;
  let isAway = false;
  let url: string;
  let close: () => Promise<unknown>;
  const audited: AuditNote[] = [];
  const order: string[] = [];
  const pushed: string[] = [];

  beforeEach(async () => {
    preview = aPreview({ number: 42 });
    for (const list of [audited, order, pushed]) list.length = 0;
    isAway = false;
    const rerun = createRerun({
      store: {
        update: async (key, change) => {
          if (isAway) throw new Error("the store is away");
          order.push("wish");
          if (key !== preview.key) return undefined;
          preview = { ...preview, ...change(preview) };
          return preview;
        },
      },
      audit: { record: async (note) => void audited.push(note) },
    });
    const handle = createWebhooks({
      forges: new Map([["github", { verify: async () => delivery }]]),
      keyOf: (_forge, path, number) => (path === "acme/shop" ? `shop#${number}` : undefined),
      pathOf: (_forge, path, id) => (id === "7" ? "acme/shop" : path),
      receive: async () => void order.push("delivery"),
      onPush: (_forge, path) => void pushed.push(path),
      onRerun: rerun,
      counters: { add: () => {}, flush: async () => {}, close: async () => {} },
      limits: { maxBytes: 1_000, largeBodies: 1, timeoutMs: 1_000 },
      onError: () => {},
    });
    const server = createServer((request, response) => void handle("github", request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    close = () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    };
  });
  afterEach(() => close());

  const send = async (sent: Omit<VerifiedDelivery, "event">) => {
    delivery = { event: "check_run", ...sent };
    const headers = { "content-type": "application/json" };
    return (await fetch(url, { method: "POST", headers, body: "{}" })).status;
  };
  const rerun = (deliveryId: string, number = 42) =>
    send({ deliveryId, pullRequest: { repositoryPath: "acme/shop", number }, rerunBy: "ada" });

  it("is deployed again once for each delivery, however often it comes, in the name of who asked", async () => {
    const { deploy } = preview.intents.generations;
    assert.deepEqual([await rerun("d-1"), await rerun("d-1"), await rerun("d-1")], [202, 202, 202]);
    assert.equal(preview.intents.generations.deploy, deploy + 1);
    await rerun("d-2");
    assert.equal(preview.intents.generations.deploy, deploy + 2);
    assert.deepEqual(
      audited.map(({ actor, action, key }) => [actor, action, key]),
      [
        ["@ada", "redeploy", "shop#42"],
        ["@ada", "redeploy", "shop#42"],
      ],
    );
    assert.deepEqual(order.slice(0, 2), ["wish", "delivery"]);
  });

  it("changes nothing of a preview that is not known, and is sent again while the store is away", async () => {
    assert.equal(await rerun("d-3", 7), 202);
    assert.equal(audited.length, 0);
    isAway = true;
    assert.equal(await rerun("d-4"), 503);
    assert.deepEqual(order, ["wish", "delivery"]);
    isAway = false;
    assert.equal(await rerun("d-4"), 202);
    assert.equal(audited.length, 1);
  });

  it("stands apart from hints, which lead to a look and store nothing", async () => {
    const concerns = [{ repositoryPath: "acme/store", repositoryId: "7" }, { repositoryPath: "acme/tools" }];
    assert.equal(await send({ deliveryId: "d-5", concerns }), 202);
    assert.deepEqual([pushed, order], [["acme/shop", "acme/tools"], []]);
  });
});
