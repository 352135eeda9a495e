import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import { createIdentities, type Identities } from "../../service/identities.ts";
import { startResync } from "../../service/resync.ts";
import { createSubjectReader } from "../../service/subject.ts";
import { createSweep } from "../../service/sweep/sweep.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, shop, silent } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const ANOTHER = { id: "77", path: "acme/shop" };

let database: Awaited<ReturnType<typeof testDatabase>>;
let bench: Bench;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
beforeEach(async () => {
  bench = await reconcileBench(database.url);
  await withClient(database.url, (client) => client.query("truncate repository_identity"));
  bench.forge.pulls.set(1, pullRequest(1, SHA.a));
});
afterEach(() => bench.close());

/** As a service that starts would know it. */
const identify = (repositories: readonly RepositoryConfig[] = [shop]): Promise<Identities> =>
  createIdentities({ config: { repositories }, store: bench.store, forge: () => bench.forge });

async function look(identities: Identities, key = KEY, repository = shop): Promise<string> {
  const subjects = createSubjectReader({ config, forge: () => bench.forge, identities });
  await bench.reconcile(key, { subjects, findRepository: async () => repository });
  const preview = await bench.store.find(key);
  return preview
    ? `${preview.status.reason} ${preview.status.live?.source.commit.slice(0, 1) ?? "nothing"}`
    : "unknown";
}

const says = async (identities: Identities) =>
  (await identities.check()).map(({ ok, what, remedy }) => `${ok ? "ok" : "wrong"}: ${what}; ${remedy}`);

describe("a repository that another one took the place of", () => {
  it("has its previews stand still: nothing is destroyed, updated or made, whatever the other one says", async () => {
    assert.equal(await look(await identify()), "Healthy a");
    bench.forge.identity = ANOTHER;
    const identities = await identify();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    bench.forge.pulls.set(2, pullRequest(2, SHA.b));
    assert.equal(await look(identities), "RepositoryReplaced a");
    assert.equal(await look(identities, "shop#2"), "unknown", "of a stranger's pull request no record is made");
    bench.forge.pulls.set(1, pullRequest(1, SHA.b, { state: "closed" }));
    for (let reads = 0; reads < 3; reads++) {
      bench.clock.advance(3600);
      assert.match(await look(identities), /^RepositoryReplaced/);
    }
    assert.ok(bench.stacks.existing.has("shop-pr-1"));
    assert.equal(identities.isReplaced("shop"), true, "and nothing is said there");
    const { condition, message } = (await bench.preview(KEY)).status;
    assert.equal(condition, "Stalled");
    assert.match(message, /"acme\/shop" is another repository now .*`stackling doctor` says what to do/);
  });

  it("goes on when its own repository is back", async () => {
    await look(await identify());
    bench.forge.identity = ANOTHER;
    const identities = await identify();
    await look(identities);
    bench.forge.identity = { id: "1", path: "acme/shop" };
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal(await look(identities), "Healthy b");
    assert.equal(identities.isReplaced("shop"), false);
  });

  it("warns of nothing meanwhile, and removes no idle preview unwarned when it is back", async () => {
    await look(await identify());
    bench.forge.identity = ANOTHER;
    const identities = await identify();
    const times = { ...shop, lifecycle: { warnAfterSeconds: 86_400, destroyAfterSeconds: 2 * 86_400 } };
    bench.clock.advance(10 * 86_400);
    await look(identities, KEY, times);
    assert.equal((await bench.preview(KEY)).status.warned, undefined);
    bench.clock.advance(10 * 86_400);
    bench.forge.identity = { id: "1", path: "acme/shop" };
    assert.equal(await look(identities, KEY, times), "Healthy a");
    assert.ok((await bench.preview(KEY)).status.warned);
  });

  it("brings nothing up by hand from the other one", async () => {
    const identities = await identify();
    await look(identities);
    bench.forge.identity = ANOTHER;
    bench.forge.refs.set("main", SHA.b);
    const reader = createSubjectReader({ config, forge: () => bench.forge, identities });
    const byHand = { gitBranch: "main", intents: { ...(await bench.preview(KEY)).intents, gitRef: "main" } };
    assert.equal((await reader.readSubject(byHand, shop)).kind, "replaced");
  });

  it("still loses a preview at its hard stop and by a person's word, and to no sweep without one", async () => {
    await look(await identify());
    bench.forge.identity = ANOTHER;
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    const identities = await identify();
    await look(identities);
    const sweep = createSweep({
      world: { configured: config.targets, owned: async () => [], remove: async () => {} },
      stacks: bench.stacks,
      store: bench.store,
      repositories: async () => [shop],
      forge: () => bench.forge,
      identities,
      now: () => bench.clock.now,
      readAgainMs: 0,
      destroyWithinMs: 1_000,
    });
    const { found, removed } = await sweep({ dryRun: false, confirm: true });
    assert.deepEqual(
      found.map(({ key, needsConfirmation }) => [key, needsConfirmation]),
      [[KEY, true]],
    );
    assert.deepEqual(removed, []);
    bench.clock.advance(31 * 86_400);
    await look(identities);
    assert.equal((await bench.preview(KEY)).status.goneReason, "Expired");
  });

  it("looks for no new pull requests in the other one's list", async () => {
    const identities = await identify();
    await look(identities);
    bench.forge.identity = ANOTHER;
    bench.forge.pulls.set(2, pullRequest(2, SHA.b));
    const resync = startResync({
      store: bench.store,
      stacks: bench.stacks,
      repositories: async () => [shop],
      forge: () => bench.forge,
      identities,
      now: () => bench.clock.now,
      intervalSeconds: 3600,
      logger: silent,
    });
    for (const job of await bench.store.queue.fetch(100)) await bench.store.queue.done(job);
    await resync.run();
    await resync.close();
    const jobs = await bench.store.queue.fetch(100);
    assert.ok(!jobs.some(({ key }) => key === "shop#2"));
  });

  it("is taken on by its id in the config, as doctor says, and stays bound to it", async () => {
    await look(await identify());
    bench.forge.identity = ANOTHER;
    const [finding = ""] = await says(await identify());
    assert.match(
      finding,
      /^wrong: "acme\/shop" is another repository \(id 77\) than the one that "shop" stands for \(id 1\)/,
    );
    assert.match(finding, /write `id: "77"`/);
    const taken = { ...shop, id: "77" };
    bench.forge.pulls.set(1, pullRequest(1, SHA.c));
    assert.equal(await look(await identify([taken]), KEY, taken), "Healthy c");
    assert.deepEqual(await says(await identify()), []);
    assert.equal(await look(await identify()), "Healthy c", "also without the key");
  });

  it("is not taken for another one by an id in the config that answers nowhere", async () => {
    const wrong = { ...shop, id: "5" };
    assert.equal(await look(await identify([wrong]), KEY, wrong), "unknown");
    assert.match((await says(await identify([wrong])))[0] ?? "", /than the one that "shop" stands for \(id 5\)/);
  });
});

describe("a repository that was renamed", () => {
  const renamed = { id: "1", path: "acme/store" };

  it("keeps its previews, and is found by deliveries that bear its new name", async () => {
    const identities = await identify();
    await look(identities);
    bench.forge.identity = renamed;
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal(await look(identities), "Healthy b");
    const later = await identify();
    assert.equal(later.pathOf("memory", "acme/store", "1"), "acme/shop");
    assert.equal(later.pathOf("memory", "acme/other", "2"), "acme/other");
    assert.equal(later.pathOf("elsewhere", "acme/store", "1"), "acme/store", "another forge has ids of its own");
    assert.equal(later.pathOf("memory", "acme/store", undefined), "acme/store");
    const [finding = ""] = await says(later);
    assert.match(finding, /^ok: "acme\/shop" is called "acme\/store" now.*`path: acme\/store` with `name: shop`/);
  });

  it("is told from one that was there before, and from itself under two names", async () => {
    await look(await identify());
    bench.forge.identity = renamed;
    const store: RepositoryConfig = { ...shop, name: "store", path: "acme/store" };
    const alone = await says(await identify([store]));
    assert.match(alone.join("\n"), /^ok: the repository of "store" was "shop" before.*`name: shop`/);
    const both = await identify([shop, store]);
    await both.check();
    const twice = (await says(both)).filter((text) => text.startsWith("wrong"));
    assert.equal(twice.length, 1);
    assert.match(twice[0] ?? "", /"shop" and "store" are the same repository/);
  });
});

it("binds a name once when several see it first", async () => {
  const [one, two] = await Promise.all([identify(), identify()]);
  const ours = await Promise.all([one.isOurs(shop, "1"), two.isOurs(shop, "2")]);
  assert.equal(ours.filter(Boolean).length, 1);
  assert.equal((await bench.store.boundRepositories()).length, 1);
  assert.equal(await one.isOurs(shop, undefined), true, "a forge without ids is never mistaken");
});
