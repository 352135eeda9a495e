import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { AllActions } from "../../service/actions.ts";
import { stageOf } from "../../service/api/preview-view.ts";
import { defaultPullRequests } from "../../service/config/defaults.ts";
import type { Lifecycle } from "../../service/config/types.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA, shop } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const DAY_SECONDS = 86_400;
const LIFECYCLE: Lifecycle = {
  sleepAfterSeconds: 2 * DAY_SECONDS,
  warnAfterSeconds: 14 * DAY_SECONDS,
  destroyAfterSeconds: 21 * DAY_SECONDS,
  hardStopSeconds: 30 * DAY_SECONDS,
  extendMaxSeconds: 90 * DAY_SECONDS,
};

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("a preview's life", () => {
  let bench: Bench;
  let actions: AllActions;
  const own = { config: { ...config, lifecycle: { ...LIFECYCLE, resyncSeconds: 60 } } };
  const open = (changes = {}) => void bench.forge.pulls.set(1, pullRequest(1, SHA.a, changes));

  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    open();
    actions = benchActions(bench, own);
    await look();
  });
  afterEach(() => bench.close());

  async function look(): Promise<string> {
    await bench.reconcile(KEY, own);
    return stageOf(await bench.preview(KEY));
  }

  /** Only looks when the timer would. */
  async function passDays(days: number): Promise<string> {
    const until = new Date(Date.parse(bench.clock.now) + days * DAY_SECONDS * 1000).toISOString();
    for (let looks = 0; looks < 500; looks++) {
      const { dueAt } = await bench.preview(KEY);
      if (dueAt === undefined || dueAt > until) break;
      bench.clock.now = dueAt;
      await look();
    }
    bench.clock.now = until;
    return stageOf(await bench.preview(KEY));
  }

  /** Once a visit has woken it, the forge is asked, and not before. */
  const lookBehind = () => passDays(1 / DAY_SECONDS);

  it("goes Active, Asleep, woken by a visit, Idle with one warning, and Gone with a receipt", async () => {
    assert.equal(await passDays(1), "Active");
    assert.equal((await bench.preview(KEY)).status.hardStop, "2026-03-31T12:00:00.000Z");
    assert.equal(await passDays(2), "Asleep");
    await bench.store.visited({ [KEY]: bench.clock.now });
    assert.equal(await look(), "Active");
    assert.equal(await passDays(13), "Asleep");
    assert.equal(await passDays(2), "Idle");
    const { warned } = (await bench.preview(KEY)).status;
    assert.deepEqual(warned, {
      at: "2026-03-18T12:00:00.000Z",
      idleSince: "2026-03-04T12:00:00.000Z",
      goesAt: "2026-03-25T12:00:00.000Z",
    });
    assert.equal(await passDays(4), "Idle");
    assert.deepEqual((await bench.preview(KEY)).status.warned, warned, "once");
    assert.equal(await passDays(3), "Gone");
    const { status } = await bench.preview(KEY);
    assert.equal(status.goneReason, "Expired");
    assert.match(
      status.message,
      /^Nobody had used it since 2026-03-04 12:00 UTC\. .*a push or `redeploy` makes it anew/,
    );
    const receipts = await bench.store.receipts(KEY);
    assert.deepEqual(
      receipts.map(({ at, reason, evidence }) => ({ at, reason, evidence })),
      [
        {
          at: "2026-03-25T12:00:00.000Z",
          reason: "Expired",
          evidence: "Nobody had used it since 2026-03-04 12:00 UTC.",
        },
      ],
    );
    await look();
    assert.equal(await passDays(100), "Gone", "and it does not come back by itself");
  });

  it("takes a change that nobody pushed when it wakes, and sleeps on until then", async () => {
    assert.equal(await passDays(3), "Asleep");
    const runs = bench.stacks.runs.length;
    bench.forge.files.set("main:preview.yaml", "services:\n  web: node other.js\n");
    assert.equal(await look(), "Asleep");
    assert.equal(bench.stacks.runs.length, runs);
    await bench.store.visited({ [KEY]: bench.clock.now });
    assert.equal(await look(), "Active");
    assert.equal(bench.stacks.runs.length, runs, "the visitor waited for an update");
    assert.equal(await lookBehind(), "Active");
    assert.equal(bench.stacks.runs.length, runs + 1);
    assert.equal((await bench.preview(KEY)).status.live?.services[0]?.command, "node other.js");
  });

  it("comes back with clocks of its own when it expired and is pushed to", async () => {
    assert.equal(await passDays(22), "Gone");
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal(await look(), "Active");
    assert.equal((await bench.preview(KEY)).status.live?.source.commit, SHA.b);
    assert.equal(await passDays(20), "Idle");
  });

  it("comes back on redeploy when it reached its hard stop", async () => {
    for (let days = 0; days < 30; days++) {
      await bench.store.visited({ [KEY]: bench.clock.now });
      await passDays(1);
    }
    await look();
    const { status } = await bench.preview(KEY);
    assert.match(status.message, /^It reached its hard stop on 2026-03-31 12:00 UTC\./);
    await actions.redeploy(KEY, "ada");
    assert.equal(await look(), "Active");
  });

  it("is renewed by a push, a visit and extend, each of which takes the warning back", async () => {
    const renewals = [
      () => void bench.forge.pulls.set(1, pullRequest(1, SHA.b)),
      () => bench.store.visited({ [KEY]: bench.clock.now }),
      () => actions.extend(KEY, 60 * DAY_SECONDS, "ada"),
    ];
    await actions.extend(KEY, 80 * DAY_SECONDS, "ada");
    await bench.store.update(KEY, ({ intents }) => ({
      intents: { ...intents, extendedTo: undefined, renewedAt: undefined, clocksFrom: bench.clock.now },
    }));
    await look();
    for (const renew of renewals) {
      await bench.store.update(KEY, ({ intents }) => ({ intents: { ...intents, clocksFrom: bench.clock.now } }));
      assert.equal(await passDays(15), "Idle");
      await renew();
      await look();
      assert.notEqual(await lookBehind(), "Idle");
      assert.equal((await bench.preview(KEY)).status.warned, undefined);
    }
  });

  it("stays while it is kept by label, and is warned anew when the label is taken off", async () => {
    open({ labels: ["keep-preview"] });
    await look();
    assert.equal(await passDays(200), "Asleep");
    open();
    await look();
    assert.equal(await passDays(13), "Asleep");
    assert.equal(await passDays(2), "Idle");
    assert.equal(await passDays(8), "Gone");
  });

  it("stays while a person keeps it, until they let it go", async () => {
    await actions.keep(KEY, "ada");
    await look();
    assert.equal(await passDays(200), "Asleep");
    await actions.keep(KEY, "ada", false);
    await look();
    assert.equal(await passDays(13), "Asleep");
    assert.equal(await passDays(9), "Gone");
  });

  it("is not destroyed unwarned after four weeks in which the service was down", async () => {
    bench.clock.advance(28 * DAY_SECONDS);
    assert.equal(await look(), "Idle");
  });

  it("neither warns nor goes for idleness while the forge is away", async () => {
    bench.forge.outage = "502";
    bench.clock.advance(15 * DAY_SECONDS);
    await look();
    assert.equal((await bench.preview(KEY)).status.warned, undefined);
    bench.forge.outage = undefined;
    assert.equal(await look(), "Idle");
    bench.forge.outage = "502";
    bench.clock.advance(10 * DAY_SECONDS);
    assert.equal(await look(), "Idle");
    bench.forge.outage = undefined;
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal(await look(), "Active", "the push that nobody could see renewed it");
  });

  it("goes at its hard stop also while the forge is away, and stays gone", async () => {
    bench.forge.outage = "502";
    bench.clock.advance(31 * DAY_SECONDS);
    await look();
    assert.equal((await bench.preview(KEY)).status.goneReason, "Expired");
    bench.forge.outage = undefined;
    assert.equal(await look(), "Gone");
  });

  it("follows its repository's own times", async () => {
    const findRepository = async () => ({ ...shop, lifecycle: { destroyAfterSeconds: 3600 } });
    bench.clock.advance(3601);
    await bench.reconcile(KEY, { ...own, findRepository });
    assert.equal((await bench.preview(KEY)).status.goneReason, "Expired");
  });

  it("goes when a label refuses it in two clean reads, and comes back when the label is taken off", async () => {
    open({ labels: ["no-preview"] });
    assert.equal(await look(), "Active", "one read is not enough");
    bench.forge.outage = "502";
    bench.clock.advance(31);
    assert.equal(await look(), "Active", "nor is an outage");
    bench.forge.outage = undefined;
    assert.equal(await look(), "Gone");
    const { status } = await bench.preview(KEY);
    assert.deepEqual([status.reason, status.message], ["Blocked", 'It has the label "no-preview".']);
    assert.deepEqual(
      (await bench.store.receipts(KEY)).map(({ reason }) => reason),
      ["Refused"],
    );
    open();
    assert.equal(await look(), "Active");
  });

  it("stays when the label that refused it was only there for a moment", async () => {
    open({ labels: ["no-preview"] });
    await look();
    const { dueAt } = await bench.preview(KEY);
    assert.equal(dueAt, "2026-03-01T12:00:30.000Z");
    open();
    bench.clock.now = dueAt ?? "";
    assert.equal(await look(), "Active");
    open({ labels: ["no-preview"] });
    assert.equal(await look(), "Active", "counted anew");
  });

  describe("with path filters", () => {
    const pullRequests = { ...defaultPullRequests, paths: ["apps/shop/**"] };
    const filtered = { ...own, findRepository: async () => ({ ...shop, pullRequests }) };
    const push = (headSha: string, paths: readonly string[]) => {
      bench.forge.pulls.set(2, pullRequest(2, headSha));
      bench.forge.changed.set(2, paths);
    };
    const lookAtTwo = async () => {
      await bench.reconcile("shop#2", filtered);
      const { status } = await bench.preview("shop#2");
      return status.live ? `serves ${status.live.source.commit.slice(0, 1)}` : status.reason;
    };

    it("is built once a push changes one of the paths, and goes when later ones take all of that back", async () => {
      push(SHA.a, ["README.md"]);
      assert.equal(await lookAtTwo(), "Blocked");
      const { status } = await bench.preview("shop#2");
      assert.equal(status.message, 'It changes nothing that matches "apps/shop/**".');
      assert.equal(status.stackExists, false);
      push(SHA.b, ["README.md", "apps/shop/index.ts"]);
      assert.equal(await lookAtTwo(), "serves b");
      push(SHA.c, ["README.md"]);
      assert.equal(await lookAtTwo(), "serves b", "one read is not enough");
      bench.forge.outage = "502";
      bench.clock.advance(31);
      assert.equal(await lookAtTwo(), "serves b", "nor is an outage");
      bench.forge.outage = undefined;
      assert.equal(await lookAtTwo(), "Blocked");
      assert.deepEqual(
        (await bench.store.receipts("shop#2")).map(({ reason, evidence }) => [reason, evidence]),
        [["Refused", 'It changes nothing that matches "apps/shop/**".']],
      );
    });

    it("stays as it is while the forge names no files, and is built where there are too many to name", async () => {
      push(SHA.a, ["apps/shop/index.ts"]);
      assert.equal(await lookAtTwo(), "serves a");
      const { changedPaths } = bench.forge;
      bench.forge.changedPaths = async () => ({ kind: "unreachable", message: "502" });
      push(SHA.b, []);
      for (let reads = 0; reads < 3; reads++) {
        assert.equal(await lookAtTwo(), "serves a");
        assert.equal((await bench.preview("shop#2")).status.reason, "Unreachable");
        bench.clock.advance(60);
      }
      bench.forge.changedPaths = changedPaths;
      bench.forge.changed.delete(2);
      assert.equal(await lookAtTwo(), "serves b");
    });
  });

  it("refuses what is done to one that is gone, and to be extended further than the operator allows", async () => {
    await assert.rejects(actions.extend(KEY, 91 * DAY_SECONDS, "ada"), /until 2026-05-30 12:00 UTC at most/);
    await passDays(31);
    for (const attempt of [actions.sleep, actions.wake, actions.keep]) {
      await assert.rejects(async () => attempt(KEY, "ada"), /it is gone; `redeploy` or a push makes it anew/);
    }
    await assert.rejects(actions.extend(KEY, 60, "ada"), /it is gone/);
  });
});
