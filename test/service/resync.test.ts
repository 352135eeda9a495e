import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { NO_INTENTS } from "../../service/intents.ts";
import { createPullRequestLog, type MergeSeen } from "../../service/kpis/pull-requests.ts";
import { type ResyncDeps, startResync } from "../../service/resync.ts";
import { createSubjectReader } from "../../service/subject.ts";
import { eventually } from "../support/eventually.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA, shop, silent } from "../support/reconcile-world.ts";

let database: Awaited<ReturnType<typeof testDatabase>>;
let bench: Bench;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
beforeEach(async () => {
  bench = await reconcileBench(database.url);
});
afterEach(() => bench.close());

/** Keys that wait in the queue, taken out of it. */
async function queued(): Promise<string[]> {
  const jobs = await bench.store.queue.fetch(100);
  for (const job of jobs) await bench.store.queue.done(job);
  return jobs.map(({ key }) => key).sort();
}

describe("resync", () => {
  const resync = (store: typeof bench.store = bench.store, more: Partial<ResyncDeps> = {}) =>
    startResync({
      ...more,
      store,
      stacks: bench.stacks,
      repositories: async () => [shop],
      forge: () => bench.forge,
      now: () => bench.clock.now,
      intervalSeconds: 3600,
      logger: silent,
    });

  it("looks at pull requests that are new, changed or no longer listed, and at no other", async () => {
    for (const number of [1, 2, 3]) {
      bench.forge.pulls.set(number, pullRequest(number, SHA.a));
      await bench.reconcile(`shop#${number}`);
    }
    bench.forge.pulls.set(2, pullRequest(2, SHA.b));
    bench.forge.pulls.set(3, pullRequest(3, SHA.a, { state: "closed" }));
    bench.forge.pulls.set(4, pullRequest(4, SHA.a));
    await queued();
    const running = resync();
    await running.run();
    await running.close();
    assert.deepEqual(await queued(), ["shop#2", "shop#3", "shop#4"]);
  });

  it("looks at one that never had a preview once the list shows it no more, so that its merge is known", async () => {
    const { store } = bench;
    const onMerged = (merge: MergeSeen) => void merges.push(merge);
    const merges: MergeSeen[] = [];
    const pullRequests = createPullRequestLog({ store, onMerged, now: () => bench.clock.now, logger: silent });
    const running = resync(store, { pullRequests });
    const opened = { draft: true, createdAt: "2026-11-20T10:00:00.000Z" };
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, opened));
    await running.run();
    assert.deepEqual(await queued(), ["shop#1"]);
    const mergedAt = "2026-11-20T16:00:00.000Z";
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { ...opened, state: "closed", merged: true, mergedAt }));
    await running.run();
    assert.deepEqual(await queued(), ["shop#1"]);
    const subjects = createSubjectReader({ config, forge: () => bench.forge, pullRequests });
    await subjects.readSubject({ number: 1, gitBranch: "feature-1", intents: NO_INTENTS }, shop);
    assert.deepEqual(merges, [{ repository: "shop", previewed: false, leadSeconds: 6 * 3600 }]);
    await running.run();
    assert.deepEqual(await queued(), []);
    await running.close();
  });

  it("leaves alone what was taken down or expired, until something of its pull request changes", async () => {
    const at = bench.clock.now;
    for (const number of [1, 2]) {
      bench.forge.pulls.set(number, pullRequest(number, SHA.a));
      await bench.reconcile(`shop#${number}`);
      const removed = { at, by: "ada", headSha: SHA.a };
      await bench.store.update(`shop#${number}`, ({ intents }) => ({ intents: { ...intents, removed } }));
      await bench.reconcile(`shop#${number}`);
    }
    bench.forge.pulls.set(2, pullRequest(2, SHA.b));
    await queued();
    const running = resync();
    await running.run();
    await running.close();
    assert.deepEqual(await queued(), ["shop#2"]);
  });

  it("looks once at a pull request that somebody commented on, which moves nothing but its time", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile("shop#1");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { updatedAt: "2026-01-01T00:01:00.000Z" }));
    await queued();
    const running = resync();
    await running.run();
    assert.deepEqual(await queued(), ["shop#1"]);
    await bench.reconcile("shop#1");
    await running.run();
    await running.close();
    assert.deepEqual(await queued(), []);
  });

  it("asks for nothing when the forge is unreachable", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile("shop#1");
    await queued();
    bench.forge.outage = "502";
    const running = resync();
    await running.run();
    await running.close();
    assert.deepEqual(await queued(), []);
  });

  it("looks again at a change that came while the store was away", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    let isAway = true;
    const list: typeof bench.store.list = async (...query) => {
      if (isAway) throw new Error("the store is away");
      return bench.store.list(...query);
    };
    const running = resync({ ...bench.store, list });
    try {
      running.pushed(shop.forge, shop.path);
      await new Promise(setImmediate);
      isAway = false;
      await eventually(async () => (await queued()).includes("shop#1"), { timeoutMs: 10_000 });
    } finally {
      await running.close();
    }
  });

  it("looks at stacks that the store does not know", async () => {
    bench.forge.pulls.set(7, pullRequest(7, SHA.a, { state: "closed" }));
    bench.stacks.existing.set("shop-pr-7", {});
    const running = resync();
    await running.run();
    await running.close();
    assert.deepEqual(await queued(), ["shop#7"]);
    await bench.reconcile("shop#7");
    assert.equal(bench.stacks.existing.size, 0, "its pull request is closed, so it goes");
    assert.equal((await bench.preview("shop#7")).status.reason, "Gone");
  });

  it("looks again after a start at what went lately, whose last words may not have been said", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile("shop#1");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    await bench.reconcile("shop#1");
    await queued();
    const running = resync();
    await running.run();
    assert.deepEqual(await queued(), []);
    await running.run({ all: true });
    assert.deepEqual(await queued(), ["shop#1"]);
    bench.clock.now = new Date(Date.parse(bench.clock.now) + 2 * 86_400_000).toISOString();
    await running.run({ all: true });
    assert.deepEqual(await queued(), []);
    await running.close();
  });

  it("enqueues what is due once", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile("shop#1");
    await bench.store.setDue("shop#1", bench.clock.now);
    const running = resync();
    try {
      await eventually(async () => (await queued()).includes("shop#1"), { what: "the due key" });
      assert.equal((await bench.preview("shop#1")).dueAt, undefined);
    } finally {
      await running.close();
    }
  });
});

describe("actions", () => {
  const actions = () =>
    benchActions(bench, {
      world: {
        changed: async (_target, _stack, { id }) =>
          id === "shop/web" ? { by: "kubectl-edit", at: "2026-11-21T09:00:00.000Z" } : undefined,
      },
      repositories: async () => [shop, ...(await bench.store.repositories())],
    });

  beforeEach(async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile("shop#1");
  });

  it("redeploy, reset-db, seed and rotate are done once each", async () => {
    const { redeploy, resetDatabase, seed, rotate } = actions();
    await redeploy("shop#1", "ada");
    await resetDatabase("shop#1", "ada");
    await seed("shop#1", undefined, "ada");
    await rotate("shop#1", "ada");
    await bench.reconcile("shop#1");
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.ups.length, 2);
    assert.deepEqual(bench.stacks.ups[1]?.spec.generations, { deploy: 1, database: 1, seed: 1, secrets: 1 });
  });

  it("flag sets a value that the next version has, and refuses what is none", async () => {
    const { flag } = actions();
    bench.forge.files.set(
      "main:preview.yaml",
      "services: {web: x}\nflags: {theme: {default: light, values: [light, dark]}}\n",
    );
    await bench.reconcile("shop#1");
    await flag("shop#1", { name: "theme", value: "dark" }, "ada");
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.ups.at(-1)?.spec.flags?.theme?.value, "dark");
    await assert.rejects(flag("shop#1", { name: "theme", value: "blue" }, "ada"), {
      reason: "NoSuchFlag",
      message: /"theme" is one of "light", "dark", not "blue"/,
    });
    await assert.rejects(flag("shop#1", { name: "beta" }, "ada"), { reason: "NoSuchFlag" });
    await flag("shop#1", { name: "theme" }, "ada");
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.ups.at(-1)?.spec.flags?.theme?.value, "light");
  });

  it("a label's flag is taken up, also by one that sleeps, which goes on sleeping", async () => {
    const { sleep } = actions();
    bench.forge.files.set("main:preview.yaml", "services: {web: x}\nflags: {beta: false}\n");
    await bench.reconcile("shop#1");
    await sleep("shop#1", "ada");
    await bench.reconcile("shop#1");
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { labels: ["flag:beta=true", "flag:gamma=1"] }));
    await bench.reconcile("shop#1");
    const { status } = await bench.preview("shop#1");
    assert.deepEqual([status.live?.flags?.beta?.value, status.reason], [true, "Asleep"]);
  });

  it("drift says who made a difference and when, where the vendor tells", async () => {
    const type = "kubernetes:apps/v1:Deployment";
    const known = { urn: "urn", type, name: "web", kind: "changed" } as const;
    const [told, untold, never] = ["shop/web", "shop/api", undefined].map((id) => ({
      ...known,
      ...(id !== undefined && { id }),
      message: 'deployment "web" was changed (spec)',
    }));
    if (!told || !untold || !never) throw new Error("three differences are missing");
    bench.stacks.drift = async () => ({ differences: [told, untold, never] });
    const { differences } = await actions().drift("shop#1");
    const change = { by: "kubectl-edit", at: "2026-11-21T09:00:00.000Z" };
    const message = 'deployment "web" was changed (spec) by kubectl-edit at 2026-11-21T09:00:00.000Z';
    assert.deepEqual(differences, [{ ...told, change, message }, untold, never]);
  });

  it("down holds until the next push", async () => {
    await actions().down("shop#1", "ada");
    await bench.reconcile("shop#1");
    assert.equal((await bench.preview("shop#1")).status.goneReason, "Removed");
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.existing.size, 0);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await bench.reconcile("shop#1");
    assert.equal((await bench.preview("shop#1")).status.reason, "Healthy");
  });

  it("sleep holds until a visit, and wake undoes it", async () => {
    const { sleep, wake } = actions();
    await sleep("shop#1", "ada");
    await bench.reconcile("shop#1");
    assert.equal((await bench.preview("shop#1")).status.reason, "Asleep");
    bench.clock.advance(1);
    await wake("shop#1", "ada");
    await bench.reconcile("shop#1");
    assert.equal((await bench.preview("shop#1")).status.reason, "Healthy");
  });

  it("keep and extend move the hard stop without an update", async () => {
    const { keep } = actions();
    await keep("shop#1", "ada");
    bench.clock.advance(40 * 86_400);
    await bench.store.visited({ "shop#1": bench.clock.now });
    await bench.reconcile("shop#1");
    assert.equal(bench.stacks.runs.length, 1);
    assert.equal((await bench.preview("shop#1")).status.stackExists, true);
  });

  it("a preview by hand follows its git ref until it is taken down", async () => {
    bench.forge.refs.set("feature/cart", SHA.a);
    bench.forge.files.set(`${SHA.a}:preview.yaml`, "services:\n  web: node server.js\n");
    bench.forge.files.set(`${SHA.b}:preview.yaml`, "services:\n  web: node server.js\n");
    const { upByHand, down } = actions();
    const { key } = await upByHand({ repository: "acme/shop", ref: "feature/cart", by: "ada" });
    assert.equal(key, "shop@feature/cart");
    await bench.reconcile(key);
    bench.forge.refs.set("feature/cart", SHA.b);
    await bench.reconcile(key);
    assert.equal((await bench.preview(key)).status.live?.source.commit, SHA.b);
    await down(key, "ada");
    await bench.reconcile(key);
    assert.equal((await bench.preview(key)).status.reason, "Gone");
    await upByHand({ repository: "acme/shop", ref: "feature/cart", by: "ada" });
    await bench.reconcile(key);
    assert.equal((await bench.preview(key)).status.reason, "Healthy");
  });

  it("refuse by name what they cannot do", async () => {
    const { look, down, upByHand } = actions();
    await assert.rejects(look("../x"), /there is no preview/);
    await assert.rejects(down("shop#404", "ada"), /"shop#404"/);
    await assert.rejects(upByHand({ repository: "acme/shop", ref: "no; rm -rf /", by: "ada" }), /is no branch/);
    await assert.rejects(upByHand({ repository: "acme/other", by: "ada" }), /neither a configured/);
  });
});
