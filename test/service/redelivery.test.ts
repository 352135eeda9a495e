/** Deliveries that GitHub could not hand over: which are asked for again, how often, and by whom. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import type { Forge } from "../../service/forges/forge.ts";
import { askAgain, type RedeliveryDeps, startRedelivery } from "../../service/redelivery.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { startGithub, type TestGithub } from "../support/emulate.ts";
import { testDatabase } from "../support/postgres.ts";
import { silent } from "../support/reconcile-world.ts";

const GROUND = {
  name: "github",
  homeUrl: "https://preview.acme.dev",
  kept: async () => undefined,
  change: async () => {},
};
const SHOP = { name: "shop", forge: "github", path: "acme/shop" } as RepositoryConfig;
const HOOK = "https://preview.acme.dev/webhooks/github";

describe("deliveries that failed", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  let github: TestGithub;
  /** Where deliveries go: what it answers, and what it was told. */
  let door: { status: number; readonly got: string[]; readonly url: string; close(): Promise<void> };
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "one", logger: silent, now: () => new Date().toISOString() });
  });
  after(async () => {
    await store.close();
    await database.drop();
  });
  beforeEach(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
    door = await openDoor();
    await github.sendWebhooksTo(door.url);
  });
  afterEach(async () => {
    await github.stop();
    await door.close();
  });

  const depsOf = (forge: Forge): RedeliveryDeps => ({
    store,
    forges: new Map([["github", forge]]),
    repositories: async () => [SHOP],
    now: () => new Date().toISOString(),
    logger: silent,
  });
  const deliver = async (status: number) => {
    door.status = status;
    await github.deliver("check_run", { action: "rerequested" });
    return github.deliveries.at(-1)?.guid ?? "";
  };

  it("are asked for again once each, by an App, and those that were taken are not", async () => {
    const forge = await github.connect("app", {}, GROUND);
    const taken = await deliver(202);
    const [one, two] = [await deliver(500), await deliver(503)];
    door.status = 202;
    door.got.length = 0;
    await askAgain(depsOf(forge));
    assert.deepEqual(door.got, [one, two]);
    const failedAgain = await deliver(500);
    door.got.length = 0;
    await askAgain(depsOf(forge));
    await askAgain(depsOf(forge));
    // Its second attempt fails too, and the service that fails is not asked for ever.
    assert.deepEqual(door.got, [failedAgain]);
    assert.ok(!door.got.includes(taken));
  });

  it("are asked for two hundred at a time, however many were asked for before and failed once more", async () => {
    const forge = await github.connect("app", {}, GROUND);
    const guids: string[] = [];
    for (let index = 0; index < 201; index++) guids.push(await deliver(500));
    door.got.length = 0;
    await askAgain(depsOf(forge));
    assert.deepEqual(door.got, guids.slice(0, 200));
    const newer = await deliver(500);
    door.status = 202;
    door.got.length = 0;
    await askAgain(depsOf(forge));
    assert.deepEqual(door.got, [guids[200], newer]);
  });

  it("are asked for on start, and nothing is left behind at the end", async () => {
    const forge = await github.connect("app", {}, GROUND);
    const guid = await deliver(500);
    door.status = 202;
    door.got.length = 0;
    const redelivery = startRedelivery(depsOf(forge));
    await redelivery.close();
    assert.deepEqual(door.got, [guid]);
    await startRedelivery({ ...depsOf(forge), forges: new Map([["local", {}]]) }).close();
  });

  it("are asked for again by one of several replicas", async () => {
    const forge = await github.connect("app", {}, GROUND);
    const guid = await deliver(500);
    door.status = 202;
    door.got.length = 0;
    const other = await openStore({
      url: database.url,
      holder: "two",
      logger: silent,
      now: () => new Date().toISOString(),
    });
    try {
      await Promise.all([askAgain(depsOf(forge)), askAgain({ ...depsOf(forge), store: other })]);
    } finally {
      await other.close();
    }
    assert.deepEqual(door.got, [guid]);
  });

  it("are read page by page, and no further back than three days", async () => {
    const forge = await github.connect("app", {}, GROUND);
    for (let index = 0; index < 130; index++) await deliver(500);
    const since = github.deliveries[9]?.delivered_at ?? "";
    const young = github.deliveries.filter(({ delivered_at: at }) => at >= since);
    assert.equal((await forge.failedDeliveries?.([SHOP], since))?.length, young.length);
    const asked = github.requests.filter(({ path }) => path.startsWith("/app/hook/deliveries?"));
    assert.equal(asked.length, 2);
    assert.equal((await forge.failedDeliveries?.([SHOP], "2999-01-01T00:00:00.000Z"))?.length, 0);
  });

  it("are asked of the repository's own hook with a token, and of no other's", async () => {
    await github.api("POST", "/repos/acme/shop/hooks", {
      name: "web",
      active: true,
      events: ["push"],
      config: { url: HOOK, content_type: "json" },
    });
    const forge = await github.connect("token", {}, GROUND);
    const guid = await deliver(500);
    door.status = 202;
    door.got.length = 0;
    await askAgain(depsOf(forge));
    assert.deepEqual(door.got, [guid]);
    const listed = github.requests.filter(({ path }) => /\/hooks\/\d+\/deliveries\?/.test(path));
    assert.equal(listed.length, 1);
  });

  it("are asked for later where the token may not see hooks, or a limit is reached", async () => {
    const forge = await github.connect("app", {}, GROUND);
    const guid = await deliver(500);
    door.status = 202;
    door.got.length = 0;
    const mend = github.fail({ method: "POST", path: /attempts$/, status: 500 });
    await askAgain(depsOf(forge));
    mend();
    assert.deepEqual(door.got, []);
    await askAgain(depsOf(forge));
    assert.deepEqual(door.got, [guid]);
    const token = await github.connect("token", {}, GROUND);
    const forbid = github.fail({ path: /\/hooks/, status: 404 });
    assert.deepEqual(await token.failedDeliveries?.([SHOP], "2020-01-01T00:00:00.000Z"), []);
    forbid();
  });
});

async function openDoor() {
  const got: string[] = [];
  const server = createServer((request, response) => {
    got.push(String(request.headers["x-github-delivery"]));
    request.resume();
    response.writeHead(door.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const door = {
    status: 202,
    got,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/github`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
}
