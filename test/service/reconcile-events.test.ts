import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { defaultPullRequests } from "../../service/config/defaults.ts";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, PREVIEW_YAML, reconcileBench, SHA, shop } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const STACK = "shop-pr-1";

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("what happens to a pull request", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    await change({});
  });
  afterEach(() => bench.close());

  /** What the forge shows from now on, and what came of it. */
  async function change(changes: Parameters<typeof pullRequest>[2], headSha = SHA.a): Promise<string> {
    bench.forge.pulls.set(1, pullRequest(1, headSha, changes));
    return look();
  }
  async function look(repository: RepositoryConfig = shop): Promise<string> {
    await bench.reconcile(KEY, { findRepository: async () => repository });
    return (await bench.preview(KEY)).status.reason;
  }

  it("gives it a life of its own when it is opened again: no clock, wish or thing of the first is left", async () => {
    await bench.store.update(KEY, ({ intents }) => ({
      intents: { ...intents, asleep: true, extendedTo: "2026-05-01T00:00:00.000Z", renewedAt: bench.clock.now },
      lastVisitAt: bench.clock.now,
    }));
    await look();
    bench.clock.advance(20 * 86_400);
    assert.equal(await change({ state: "closed" }), "Gone");
    bench.clock.advance(86_400);
    assert.equal(await change({}), "Healthy");
    assert.deepEqual(bench.stacks.runs, [`up ${STACK} aaaaaaa`, `destroy ${STACK}`, `up ${STACK} aaaaaaa`]);
    const { createdAt, intents, status } = await bench.preview(KEY);
    assert.equal(createdAt, bench.clock.now);
    assert.deepEqual([intents.asleep, intents.extendedTo, intents.renewedAt], [false, undefined, undefined]);
    assert.equal(status.live?.tags["hard-stop"], "2026-04-21T12:00:00.000Z", "30 days from now");
    assert.equal((await bench.store.receipts(KEY)).length, 1);
    await bench.store.visited({ [KEY]: bench.clock.now });
    bench.clock.advance(29 * 86_400);
    assert.notEqual(await look(), "Gone");
    bench.clock.advance(86_400);
    assert.equal(await look(), "Gone");
  });

  it("keeps the same preview when the forge lets its branch be renamed, and what it holds", async () => {
    assert.equal(await change({ headRef: "feature/better-name" }), "Healthy");
    const { gitBranch, status } = await bench.preview(KEY);
    assert.equal(gitBranch, "feature/better-name");
    assert.equal(status.live?.gitBranch, "feature/better-name");
    assert.ok(!bench.stacks.runs.some((run) => run.startsWith("destroy")));
  });

  it("lets its preview go when the forge closes it because its branch was renamed or deleted", async () => {
    assert.equal(await change({ state: "closed", headRef: "feature-1" }), "Gone");
    assert.equal(bench.stacks.existing.size, 0);
  });

  it("follows it to another base, whose preview.yaml holds from then on", async () => {
    bench.forge.files.set("feature-7:preview.yaml", PREVIEW_YAML.replace("web:", "shop:"));
    assert.equal(await change({ baseRef: "feature-7" }), "Healthy");
    const services = async () => (await bench.preview(KEY)).status.live?.services.map(({ name }) => name);
    assert.deepEqual(await services(), ["shop"]);
    assert.equal(await change({}), "Healthy", "the one below it was merged, and the forge moved it to main");
    assert.deepEqual(await services(), ["web"]);
    assert.ok(!bench.stacks.runs.some((run) => run.startsWith("destroy")));
  });

  it("takes its preview when its new base is none of the bases, and gives it back on the way back", async () => {
    const only = { ...shop, pullRequests: { ...defaultPullRequests, bases: ["main", "release/*"] } };
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { baseRef: "feature-7" }));
    assert.equal(await look(only), "Blocked");
    assert.ok(bench.stacks.existing.has(STACK), "one read is not enough");
    bench.clock.advance(31);
    await look(only);
    const { status } = await bench.preview(KEY);
    assert.deepEqual(
      [status.stackExists, status.message],
      [false, 'It goes into "feature-7", and such pull requests get no previews.'],
    );
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { baseRef: "release/2" }));
    bench.forge.files.set("release/2:preview.yaml", PREVIEW_YAML);
    assert.equal(await look(only), "Healthy");
  });

  it("leaves everything as it is when its repository is deleted, until the hard stop", async () => {
    bench.forge.outage = '"acme/shop": GitHub answered 404 (it does not exist, or the credential may not see it)';
    for (let weeks = 0; weeks < 4; weeks++) {
      bench.clock.advance(7 * 86_400);
      assert.equal(await look(), "Unreachable");
      assert.ok(bench.stacks.existing.has(STACK));
    }
    bench.clock.now = "2026-03-31T12:00:00.000Z";
    assert.equal(await look(), "Gone");
    assert.equal((await bench.preview(KEY)).status.goneReason, "Expired");
    assert.equal(bench.stacks.existing.size, 0);
  });
});
