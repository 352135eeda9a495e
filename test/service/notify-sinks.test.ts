import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createNotifier, type Outcome, type Sink } from "../../service/notify.ts";
import { eventually } from "../support/eventually.ts";
import { aPreview } from "../support/previews.ts";
import { silent } from "../support/reconcile-world.ts";

describe("a notifier of several places", () => {
  it("tells each of them although another hangs or throws, and asks that one again", async () => {
    const told: string[] = [];
    let throws = true;
    const hanging = Promise.withResolvers<Outcome>();
    const sinks: readonly Sink[] = [
      {
        name: "hangs",
        write: () => hanging.promise,
      },
      {
        name: "throws",
        async write({ key }) {
          if (throws) throw new Error("not there");
          told.push(`throws ${key}`);
          return "written";
        },
      },
      {
        name: "works",
        async write({ key, status }) {
          told.push(`works ${key} ${status.reason}`);
          return "written";
        },
      },
    ];
    const notifier = createNotifier({ sinks, logger: silent, quietMs: 0, retryMs: 5 });
    await notifier.announce(aPreview());
    await eventually(() => told.length === 1);
    await notifier.announce(aPreview({ urls: { web: "https://pr-42-shop.preview.acme.dev" } }));
    await eventually(() => told.includes("works shop#42 Healthy"));
    throws = false;
    await eventually(() => told.includes("throws shop#42"));
    hanging.resolve("written");
    await notifier.settled();
    assert.equal(told[0], "works shop#42 Provisioning");
  });

  it("forgets what it said of one that is gone", async () => {
    const told: string[] = [];
    const write: Sink["write"] = async ({ key }) => {
      told.push(key);
      return "written";
    };
    const notifier = createNotifier({ sinks: [{ name: "works", write }], logger: silent, quietMs: 3_600_000 });
    const gone = aPreview({ status: { reason: "Gone", goneAt: "2026-11-22T10:00:00.000Z" } });
    for (const times of [1, 2]) {
      await notifier.announce(gone);
      await eventually(() => told.length === times);
    }
  });
});
