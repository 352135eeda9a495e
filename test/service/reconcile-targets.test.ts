/** Reconcile when the operator changes targets that previews live on: nothing is moved, nothing is lost. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { TargetConfig } from "../../service/config/types.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, shop } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const STACK = "shop-pr-1";
const choice = { driver: "local", options: {} };
const far = (region: string) => ({ driver: "far", options: { region } });
const queue = (brokers: readonly string[]) => ({ driver: "kafka", options: { brokers } });
const FILE = `database: true
services: {web: node server.js}
external: {cache: {mode: own, values: {CACHE: url}}, queue: {mode: own, values: {QUEUE: brokers}}}
`;
const first: TargetConfig = {
  name: "first",
  runs: "source",
  service: far("eu-1"),
  database: { driver: "clone", options: { server: { env: "A" } } },
  dns: choice,
  secrets: choice,
  backing: { cache: { driver: "redis", options: { url: { env: "A" } } }, queue: queue(["a:1", "b:1"]) },
  gives: { cache: ["url"], queue: ["brokers"] },
  places: { service: ["region"], database: ["server"], backing: { cache: ["url"], queue: ["brokers"] } },
};

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("reconcile, when a target changes while a preview lives on it", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    bench.forge.files.set("main:preview.yaml", FILE);
    await lookOn([first], "first");
  });
  afterEach(() => bench.close());

  async function lookOn(targets: readonly TargetConfig[], target: string) {
    const findRepository = async () => ({ ...shop, target });
    await bench.reconcile(KEY, { config: { ...config, targets }, findRepository });
    return (await bench.preview(KEY)).status;
  }
  const raise = () =>
    bench.store.update(KEY, ({ intents }) => ({
      intents: {
        ...intents,
        removed: undefined,
        generations: { ...intents.generations, deploy: intents.generations.deploy + 1 },
      },
    }));

  it("says which target is missing and what to do, and goes on serving, sleeping and waking", async () => {
    const second = { ...first, name: "second" };
    const status = await lookOn([second], "first");
    assert.deepEqual([status.condition, status.reason], ["Stalled", "NotConfigured"]);
    assert.match(status.message, /"first" is not in stackling\.yaml, which has "second".*serves from "first" until/);
    assert.deepEqual([status.live?.source.commit, status.awake], [SHA.a, true]);
    bench.clock.advance(3601);
    await lookOn([second], "first");
    assert.equal(bench.awake.get(STACK), false);
    await bench.store.visited({ [KEY]: bench.clock.now });
    await lookOn([second], "first");
    assert.equal(bench.awake.get(STACK), true);
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`]);
  });

  it("looks for what is left where it was ever built and nowhere else, though those targets are gone from the config", async () => {
    const built: unknown[] = [];
    const world = {
      ...bench.deps.world,
      owned: async (_stack?: string, targets?: readonly unknown[]) => {
        built.push(...(targets ?? ["everywhere"]));
        return [];
      },
    };
    const bigger = { ...first, service: { driver: "far", options: { region: "eu-1", size: 2 } } };
    await lookOn([bigger], "first");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    const findRepository = async () => ({ ...shop, target: "first" });
    await bench.reconcile(KEY, { config: { ...config, targets: [] }, findRepository, world });
    assert.equal((await bench.preview(KEY)).status.reason, "Gone");
    const drivers = [first, bigger].map(({ name, service, database: branches, dns, secrets, backing }) => {
      return { name, service, database: branches, dns, secrets, backing };
    });
    assert.deepEqual(built, drivers);
    const [receipt] = await bench.store.receipts(KEY);
    assert.deepEqual(
      receipt?.proof.map(({ what }) => what),
      ["process", "database", "stack"],
    );
  });

  it("stays awake where no visit of it is seen, until a person says otherwise, and says how it is woken", async () => {
    const options = { ...first.service.options, edge: { direct: { ingressClass: "public" } } };
    const atEdge = [{ ...first, service: { driver: "far", options } }];
    await lookOn(atEdge, "first");
    bench.clock.advance(90 * 3600);
    assert.equal((await lookOn(atEdge, "first")).reason, "Healthy");
    const asleep = { asleep: true, asleepSince: bench.clock.now };
    await bench.store.update(KEY, ({ intents }) => ({ intents: { ...intents, ...asleep } }));
    const status = await lookOn(atEdge, "first");
    assert.deepEqual([status.reason, bench.awake.get(STACK)], ["Asleep", false]);
    assert.equal(status.message, "Asleep. `stackling wake 'shop#1'` or a push wakes it.");
  });

  it("follows a target that was only renamed", async () => {
    const status = await lookOn([{ ...first, name: "second" }], "second");
    assert.deepEqual([status.reason, status.live?.target.name], ["Healthy", "second"]);
  });

  it("takes over what says nothing of the place", async () => {
    const dns = { driver: "other", options: {} };
    const status = await lookOn(
      [{ ...first, dns, service: { driver: "far", options: { region: "eu-1", size: 2 } } }],
      "first",
    );
    assert.deepEqual([status.reason, status.live?.target.dns.driver], ["Healthy", "other"]);
  });

  const moves: readonly [string, Partial<TargetConfig>, RegExp][] = [
    ["another service driver", { service: choice }, /another service driver \("local", not "far"\)/],
    ["another place of the same driver", { service: far("us-1") }, /another "region" of its service driver "far"/],
    ["another database driver", { database: { driver: "neon", options: {} } }, /another database driver/],
    [
      "another database server",
      { database: { driver: "clone", options: { server: { env: "B" } } } },
      /another "server" of its database driver "clone"/,
    ],
    [
      "another shared server",
      { backing: { ...first.backing, cache: { driver: "redis", options: { url: { env: "B" } } } } },
      /another "url" of its backing "cache"/,
    ],
    [
      "a shared cluster none of whose addresses is the same",
      { backing: { ...first.backing, queue: queue(["c:1"]) } },
      /another "brokers" of its backing "queue"/,
    ],
    [
      "a shared server of another kind",
      { backing: { ...first.backing, cache: { driver: "kafka", options: {} } } },
      /another driver of its backing "cache" \("kafka", not "redis"\)/,
    ],
  ];
  it("takes over a further address of a shared server", async () => {
    const backing = { ...first.backing, queue: queue(["b:1", "c:1"]) };
    assert.equal((await lookOn([{ ...first, backing }], "first")).reason, "Healthy");
  });

  for (const [what, change, message] of moves) {
    it(`moves nothing to ${what}, not even on a push, and says how to make it anew`, async () => {
      bench.forge.pulls.set(1, pullRequest(1, SHA.b));
      const status = await lookOn([{ ...first, ...change }], "first");
      assert.deepEqual([status.condition, status.reason], ["Stalled", "TargetChanged"]);
      assert.match(status.message, message);
      assert.match(status.message, /`stackling down 'shop#1'`, then `stackling redeploy 'shop#1'`/);
      assert.deepEqual([status.live?.source.commit, status.awake], [SHA.a, true]);
      assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`]);
      assert.equal((await lookOn([first], "first")).live?.source.commit, SHA.b, "taken back, it goes on");
    });
  }

  it("is made anew on the changed target after down and redeploy", async () => {
    const changed = [{ ...first, service: choice }];
    await lookOn(changed, "first");
    const removed = { at: bench.clock.now, by: "ada", headSha: SHA.a };
    await bench.store.update(KEY, ({ intents }) => ({ intents: { ...intents, removed } }));
    assert.equal((await lookOn(changed, "first")).reason, "Gone");
    await raise();
    const status = await lookOn(changed, "first");
    assert.deepEqual([status.reason, status.live?.target.service.driver], ["Healthy", "local"]);
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`, `destroy ${STACK}`, `up ${STACK} aaaaaaa`]);
  });

  it("is destroyed where it was built when it is closed meanwhile", async () => {
    const changed = [{ ...first, service: choice }];
    await lookOn(changed, "first");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    assert.equal((await lookOn(changed, "first")).reason, "Gone");
  });
});
