import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import type { OwnedThing } from "../../components/ports.ts";
import { resumedWords } from "../../service/cli/verbs/stop-all.ts";
import { type OperateDeps, startOperate } from "../../service/operate.ts";
import { createSweep, type SweepDeps, type SweepWish } from "../../service/sweep/sweep.ts";
import { startSweepTimer } from "../../service/sweep/timer.ts";
import { eventually } from "../support/eventually.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA, shop, silent } from "../support/reconcile-world.ts";

let database: Awaited<ReturnType<typeof testDatabase>>;
let bench: Bench;
let things: OwnedThing[];
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
beforeEach(async () => {
  bench = await reconcileBench(database.url);
  await bench.store.setPause(undefined);
  things = [];
  bench.forge.pulls.set(1, pullRequest(1, SHA.a));
  await bench.reconcile("shop#1");
  things.push(thing("process", "11", "shop-pr-1"), thing("database", "shop_pr_1", "shop-pr-1"));
});
afterEach(() => bench.close());

const thing = (kind: string, id: string, stack: string): OwnedThing => ({ kind, id, stack });

function deps(changes: Partial<SweepDeps> = {}): SweepDeps {
  return {
    world: {
      configured: config.targets,
      owned: async (stack) => things.filter((one) => stack === undefined || one.stack === stack),
      remove: async (gone) => {
        things = things.filter((one) => !gone.includes(one));
      },
    },
    stacks: bench.stacks,
    store: bench.store,
    repositories: async () => [shop],
    forge: () => bench.forge,
    now: () => bench.clock.now,
    readAgainMs: 0,
    ...changes,
  };
}

const sweep = (wish: Partial<SweepWish> = {}, changes: Partial<SweepDeps> = {}) =>
  createSweep(deps(changes))({ dryRun: false, ...wish });

/** Looks at what the sweep enqueues, as the worker would, until it is done. */
async function working<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  await eventually(async () => {
    for (const job of await bench.store.queue.fetch(10)) {
      await bench.reconcile(job.key, { world: { ...bench.deps.world, owned: async () => [] } });
      await bench.store.queue.done(job);
    }
    return over;
  });
  return done;
}

describe("the sweep", () => {
  it("removes what a closed pull request left behind, and nothing of an open one", async () => {
    bench.forge.pulls.set(9, pullRequest(9, SHA.b, { state: "closed" }));
    things.push(thing("process", "99", "shop-pr-9"), thing("database", "shop_pr_9", "shop-pr-9"));
    const named = await sweep({ dryRun: true });
    assert.deepEqual(
      named.found.map(({ key, why, needsConfirmation }) => [key, why, needsConfirmation]),
      [["shop#9", "pull request 9 is closed", false]],
    );
    assert.equal(things.length, 4, "a dry run removes nothing");
    assert.equal((await bench.store.lastSweep())?.dryRun, undefined, "and leaves no report");
    const { removed, failed } = await sweep();
    assert.deepEqual([removed, failed], [["shop-pr-9"], []]);
    assert.deepEqual(
      things.map(({ id }) => id),
      ["11", "shop_pr_1"],
    );
    assert.deepEqual((await bench.store.lastSweep())?.removed, ["shop-pr-9"]);
  });

  it("removes what the backend still holds of a stack that is no more, and of no living one", async () => {
    bench.stacks.left.set("shop-pr-404", ["stacks/shop-pr-404.json.bak", "history/shop-pr-404"]);
    bench.stacks.left.set("shop-pr-1", ["locks/shop-pr-1"]);
    const { found, removed, failed } = await sweep();
    assert.deepEqual(
      found.map((stray) => [stray.stack, stray.hasStack, stray.things.map(({ kind }) => kind)]),
      [["shop-pr-404", false, ["state file", "state file"]]],
    );
    assert.deepEqual([removed, failed], [["shop-pr-404"], []]);
    assert.deepEqual([...bench.stacks.left.keys()], ["shop-pr-1"]);
  });

  it("removes what bears a number that no pull request has", async () => {
    things.push(thing("database", "shop_pr_404", "shop-pr-404"));
    assert.deepEqual((await sweep()).removed, ["shop-pr-404"]);
  });

  it("destroys a stack made by hand as a preview is, with a receipt", async () => {
    bench.stacks.existing.set("shop-pr-404", {});
    assert.deepEqual((await working(sweep())).removed, ["shop-pr-404"]);
    assert.deepEqual([...bench.stacks.existing.keys()], ["shop-pr-1"]);
    assert.equal((await bench.store.receipts("shop#404")).length, 1);
  });

  it("destroys such a stack too after the resync took it for a preview", async () => {
    bench.stacks.existing.set("shop-pr-404", {});
    await bench.reconcile("shop#404");
    assert.equal((await bench.preview("shop#404")).status.reason, "Unreachable");
    assert.deepEqual((await working(sweep())).removed, ["shop-pr-404"]);
    assert.equal(bench.stacks.existing.has("shop-pr-404"), false);
  });

  const silences: readonly (readonly [string, () => void])[] = [
    [
      "does not answer",
      () => {
        bench.forge.outage = "502";
      },
    ],
    ["answers with an empty list", () => bench.forge.pulls.clear()],
    [
      "answers with another repository's list",
      () => {
        bench.forge.pulls.clear();
        bench.forge.pulls.set(77, pullRequest(77, SHA.c));
      },
    ],
    [
      "answers one way and then another",
      () => {
        const { list } = bench.forge;
        let asked = 0;
        bench.forge.list = async (repository) => {
          asked += 1;
          return asked > 1 ? { kind: "unreachable", message: "500" } : list(repository);
        };
      },
    ],
  ];
  for (const [what, silence] of silences) {
    it(`removes nothing by itself while the forge ${what}`, async () => {
      things.push(thing("database", "shop_pr_404", "shop-pr-404"));
      bench.stacks.existing.set("shop-pr-405", {});
      silence();
      await bench.reconcile("shop#1");
      const before = [...things];
      const { found, removed, failed } = await sweep();
      assert.deepEqual([removed, failed], [[], []]);
      assert.ok(found.every(({ needsConfirmation }) => needsConfirmation));
      assert.deepEqual(things, before);
      assert.deepEqual([...bench.stacks.existing.keys()], ["shop-pr-1", "shop-pr-405"]);
    });
  }

  it("keeps what is of no configured repository until a person confirms it", async () => {
    things.push(thing("database", "blog_pr_3", "blog-pr-3"));
    assert.deepEqual((await sweep()).removed, []);
    const { found, removed } = await sweep({ confirm: true });
    assert.deepEqual(
      found.map(({ why }) => why),
      ["its repository is not configured"],
    );
    assert.deepEqual(removed, ["blog-pr-3"]);
  });

  it("lets a preview that cannot be reached go only by its name", async () => {
    bench.forge.outage = "502";
    await bench.reconcile("shop#1");
    assert.deepEqual((await sweep({ confirm: true })).removed, []);
    assert.deepEqual((await working(sweep({ confirm: ["shop#1"] }))).removed, ["shop-pr-1"]);
    assert.equal((await bench.preview("shop#1")).status.reason, "Gone");
  });

  it("touches nothing that is worked on or became a preview while it looked", async () => {
    things.push(thing("database", "shop_pr_404", "shop-pr-404"), thing("database", "shop_pr_405", "shop-pr-405"));
    const lease = await bench.store.acquireLease("shop-pr-404");
    const { removed, failed } = await sweep(
      {},
      {
        store: {
          ...bench.store,
          acquireLease: async (stack) => {
            if (stack === "shop-pr-405") {
              bench.forge.pulls.set(405, pullRequest(405, SHA.c));
              await bench.reconcile("shop#405");
            }
            return bench.store.acquireLease(stack);
          },
        },
      },
    );
    await lease?.release();
    assert.deepEqual(removed, []);
    assert.deepEqual(
      failed.map(({ message }) => message),
      [
        'removing "shop-pr-404": it is worked on now',
        'removing "shop-pr-405": it belongs to preview "shop#405" by now',
      ],
    );
    assert.equal(things.length, 4);
  });

  it("tells what would not go and what could not be listed, and sweeps the rest", async () => {
    bench.forge.pulls.set(8, pullRequest(8, SHA.b, { state: "closed" }));
    bench.forge.pulls.set(9, pullRequest(9, SHA.b, { state: "closed" }));
    things.push(thing("process", "88", "shop-pr-8"), thing("process", "99", "shop-pr-9"));
    const [target] = config.targets;
    assert.ok(target);
    const world: SweepDeps["world"] = {
      configured: [target, { ...target, name: "away" }],
      async owned(stack, targets) {
        if (stack === undefined && targets?.[0] !== target)
          throw new TerminalError({ reason: "TargetUnreachable", userMessage: "listing namespaces: no answer" });
        return deps().world.owned(stack);
      },
      async remove(gone) {
        if (gone[0]?.stack === "shop-pr-8") throw new Error("a vendor's words");
        return deps().world.remove(gone);
      },
    };
    const report = await sweep({}, { world });
    assert.deepEqual(report.removed, ["shop-pr-9"]);
    assert.deepEqual(report.failed, [{ stack: "shop-pr-8", message: 'removing "shop-pr-8" failed' }]);
    assert.deepEqual(report.unread, ["listing namespaces: no answer"]);
  });

  it("judges nothing while nobody knows which stacks there are, confirmed or not", async () => {
    bench.forge.pulls.set(8, pullRequest(8, SHA.b, { state: "closed" }));
    things.push(thing("process", "88", "shop-pr-8"), thing("process", "99", "elsewhere-pr-9"));
    const away = new StacklingError({ reason: "BackendUnavailable", userMessage: "listing stacks: no answer" });
    const stacks = { ...bench.stacks, list: () => Promise.reject(away) };
    const report = await sweep({ confirm: true }, { stacks });
    assert.deepEqual([report.found, report.removed, report.unread], [[], [], ["listing stacks: no answer"]]);
    assert.equal(things.length, 4);
  });

  it("only names what it finds when it runs by itself for the first time", async () => {
    await withClient(database.url, (client) => client.query("DELETE FROM sweep"));
    bench.stacks.left.set("shop-pr-404", ["history/shop-pr-404"]);
    const firsts: boolean[] = [];
    const timer = startSweepTimer({
      store: bench.store,
      sweep: ({ first }) => {
        firsts.push(first);
        return sweep({ dryRun: first, keep: true });
      },
      now: () => bench.clock.now,
      logger: silent,
      everySeconds: 3_600,
      lookEveryMs: 1,
    });
    await eventually(() => bench.store.lastSweep(), { what: "the first sweep" });
    assert.deepEqual([...bench.stacks.left.keys()], ["shop-pr-404"]);
    bench.clock.advance(3_600);
    await eventually(() => bench.stacks.left.size === 0, { what: "the second sweep" });
    await timer.close();
    assert.deepEqual(firsts, [true, false]);
  });

  it("runs by itself as often as the config says and not more often", async () => {
    let swept = 0;
    await sweep();
    const timer = startSweepTimer({
      store: bench.store,
      sweep: async () => {
        swept += 1;
        return sweep();
      },
      now: () => bench.clock.now,
      logger: silent,
      everySeconds: 600,
      lookEveryMs: 1,
    });
    bench.clock.advance(599);
    await bench.store.ping();
    assert.equal(swept, 0);
    bench.clock.advance(1);
    await eventually(() => swept > 0, { what: "the second sweep" });
    await timer.close();
    assert.equal(swept, 1);
  });
});

describe("the kill switch", () => {
  const operate = (more: Partial<OperateDeps> = {}) =>
    startOperate({
      ...more,
      ...deps(),
      store: bench.store,
      logger: silent,
      sweepEverySeconds: 3_600,
    });

  it("puts what serves to sleep, brings nothing up, destroys what is closed, and lets all go on", async () => {
    bench.clock.advance(1);
    bench.forge.pulls.set(2, pullRequest(2, SHA.a));
    await bench.reconcile("shop#2");
    const all = operate();
    await all.stopAll("ada");
    assert.deepEqual((await bench.store.queue.fetch(10)).map(({ key }) => key).sort(), ["shop#1", "shop#2"]);
    bench.forge.pulls.set(2, pullRequest(2, SHA.a, { state: "closed" }));
    bench.forge.pulls.set(3, pullRequest(3, SHA.a));
    bench.stacks.runs.splice(0);
    for (const key of ["shop#1", "shop#2", "shop#3"]) await bench.reconcile(key);
    assert.deepEqual(bench.stacks.runs, ["destroy shop-pr-2"]);
    assert.equal(bench.awake.get("shop-pr-1"), false);
    const shown = async (key: string) => {
      const { condition, reason } = (await bench.preview(key)).status;
      return `${condition} ${reason}`;
    };
    assert.deepEqual(await Promise.all(["shop#1", "shop#3"].map(shown)), ["Ready Paused", "Reconciling Paused"]);
    assert.match((await all.check())[0]?.what ?? "", /^everything is stopped since .* as asked by "ada"$/);

    await all.resumeAll();
    for (const key of ["shop#1", "shop#3"]) await bench.reconcile(key);
    await all.close();
    assert.deepEqual(bench.stacks.runs, ["destroy shop-pr-2", "up shop-pr-3 aaaaaaa"]);
    assert.equal(bench.awake.get("shop-pr-1"), true);
    assert.deepEqual(await Promise.all(["shop#1", "shop#3"].map(shown)), ["Ready Healthy", "Ready Healthy"]);
    assert.deepEqual(await all.check().then((found) => found.filter(({ what }) => /stopped/.test(what))), []);
  });

  it("is on still where a budget stops everything behind a person", async () => {
    const left = { at: bench.clock.now, by: "budget whole" };
    const all = operate({ onResume: async () => left });
    await all.stopAll("ada");
    await all.resumeAll("ada");
    assert.deepEqual(await all.pause(), left);
    await all.close();
    assert.match(
      resumedWords(left),
      /the budget "whole" stops everything still: "stackling budget lift whole --for 48h"/,
    );
    assert.equal(resumedWords(null), "everything goes on");
  });

  it("ends no stop that somebody asks for meanwhile, nor any but the one that was seen", async () => {
    const all = operate({ onResume: () => all.stopAll("ada").then(() => undefined) });
    await bench.store.setPause({ at: bench.clock.now, by: "budget whole" });
    await all.resumeAll("ben");
    assert.equal((await all.pause())?.by, "ada");
    const seen = { at: bench.clock.now, by: "budget whole" };
    await assert.rejects(all.resumeAll("ben", seen), /by "budget whole" is over, and "ada" stops it since .*; nothing/);
    assert.equal((await all.pause())?.by, "ada");
    await all.close();
  });

  it("ends no stop that the same person asks for anew while another goes", async () => {
    const { store } = bench;
    const onResume = async () => {
      await store.endPause("ada");
      bench.clock.advance(60);
      await store.setPause({ at: bench.clock.now, by: "ada" });
      return undefined;
    };
    const all = operate({ onResume });
    await all.stopAll("ada");
    await all.resumeAll("ben");
    assert.deepEqual(await all.pause(), { at: bench.clock.now, by: "ada" });
    await all.close();
  });

  it("wakes nothing for a visit while it is set", async () => {
    const all = operate();
    await all.stopAll("ada");
    await bench.reconcile("shop#1");
    bench.clock.advance(5);
    await bench.store.visited({ "shop#1": bench.clock.now });
    await bench.reconcile("shop#1");
    await all.close();
    assert.equal(bench.awake.get("shop-pr-1"), false);
  });
});
