import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRoutes } from "../../../service/gateway/routes.ts";
import type { Preview } from "../../../service/status.ts";
import { aPreview } from "../../support/previews.ts";

describe("the routes", () => {
  it("keep the newest of a preview when an older reading arrives behind it", async () => {
    const URLS = { web: "http://pr-1-shop.localhost:4000" };
    const older: Preview = { ...aPreview({ number: 1, urls: URLS }), revision: 4 };
    const newer: Preview = { ...older, status: { ...older.status, awake: false }, revision: 5 };
    let changed: ((key: string) => void) | undefined;
    const listed = Promise.withResolvers<readonly Preview[]>();
    const opening = createRoutes({
      store: {
        list: () => listed.promise,
        find: async () => newer,
        onChange: (listener) => {
          changed = listener;
          return () => {};
        },
      },
      domain: "localhost:4000",
      onError: (error) => assert.fail(String(error)),
    });
    changed?.(older.key);
    await Promise.resolve();
    listed.resolve([older]);
    const routes = await opening;
    assert.equal(routes.lookup("pr-1-shop.localhost:4000")?.door, "asleep");
    routes.close();
  });

  it("know what the store knows when asked to, before they are notified", async () => {
    const older: Preview = { ...aPreview({ number: 1 }), revision: 4 };
    const live = aPreview({ number: 1, urls: { web: "http://pr-1-shop.localhost:4000" } });
    let find = async () => ({ ...live, revision: 5 }) as Preview;
    const routes = await createRoutes({
      store: { list: async () => [older], find: () => find(), onChange: () => () => {} },
      domain: "localhost:4000",
      onError: (error) => assert.fail(String(error)),
    });
    assert.equal(routes.lookup("pr-1-shop.localhost:4000")?.door, "building");
    await routes.freshen(older.key);
    assert.equal(routes.lookup("pr-1-shop.localhost:4000")?.door, "serve");
    find = () => new Promise<Preview>(() => {});
    await routes.freshen("shop#2");
    routes.close();
  });

  it("give a preview's own host to no service of another repository's preview that is called alike", async () => {
    const host = "pr-1-api-shop.localhost:4000";
    const own = aPreview({ number: 1, repository: "api-shop", urls: { web: `http://${host}` } });
    const urls = { web: "http://pr-1-shop.localhost:4000", api: `http://${host}` };
    const other = aPreview({ number: 1, repository: "shop", urls });
    for (const previews of [
      [own, other],
      [other, own],
    ]) {
      const routes = await createRoutes({
        store: { list: async () => previews, find: async () => undefined, onChange: () => () => {} },
        domain: "localhost:4000",
        onError: (error) => assert.fail(String(error)),
      });
      assert.equal(routes.lookup(host)?.key, "api-shop#1");
      assert.equal(routes.lookup("pr-1-api-shop.localhost")?.key, "api-shop#1");
      assert.equal(routes.lookup("pr-1-shop.localhost:4000")?.key, "shop#1");
      routes.close();
    }
  });
});
