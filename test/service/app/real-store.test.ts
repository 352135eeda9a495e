import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { createCounters } from "../../../service/api/counters.ts";
import { createRoutes } from "../../../service/gateway/routes.ts";
import { createVisits } from "../../../service/gateway/visits.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { eventually } from "../../support/eventually.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aPreview } from "../../support/previews.ts";
import { requires } from "../../support/requires.ts";

const HOST = "pr-42-shop.localhost:4000";
const logger = pino({ level: "silent" });
const fail = (error: unknown) => assert.fail(String(error));
const now = () => new Date().toISOString();

describe("edge over a real store", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "here", logger, now });
  });
  after(async () => {
    await store?.close();
    await database?.drop();
  });

  it("opens a door when another replica writes the change", async () => {
    const replica = await openStore({ url: database.url, holder: "there", logger, now });
    const routes = await createRoutes({ store, domain: "localhost:4000", onError: fail });
    try {
      await replica.create(aPreview());
      const building = await eventually(() => routes.lookup(HOST));
      assert.equal(building.door, "building");
      const { live } = aPreview({ urls: { web: `http://${HOST}` } }).status;
      await replica.setStatus("shop#42", { live, condition: "Ready", reason: "Healthy" });
      await eventually(() => routes.lookup(HOST)?.door === "serve");
      await replica.setStatus("shop#42", { goneAt: now(), reason: "Gone" });
      await eventually(() => routes.lookup(HOST)?.door === "gone");
    } finally {
      routes.close();
      await replica.close();
    }
  });

  it("knows at its start what the store holds", async () => {
    await store.create(aPreview({ number: 43 }));
    const routes = await createRoutes({ store, domain: "localhost:4000", onError: fail });
    assert.equal(routes.lookup("pr-43-shop.localhost")?.key, "shop#43");
    routes.close();
  });

  it("writes visits and counters down in batches", async () => {
    await store.create(aPreview({ number: 44 }));
    const visits = createVisits({ store, now: () => new Date(), onError: fail });
    const counters = createCounters({ store, onError: fail });
    visits.record("shop#44");
    counters.add("deliveries.ignored");
    counters.add("deliveries.ignored");
    await visits.close();
    await counters.close();
    assert.ok((await store.find("shop#44"))?.lastVisitAt);
    assert.equal((await store.counters())["deliveries.ignored"], 2);
  });
});
