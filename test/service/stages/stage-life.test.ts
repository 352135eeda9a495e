/** Stages through the whole of reconcile: forge and engine are replaced at their ports. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { createCaps } from "../../../service/caps/caps.ts";
import type { RepositoryConfig } from "../../../service/config/repository-types.ts";
import type { StageConfig } from "../../../service/config/stages.ts";
import { startResync } from "../../../service/resync.ts";
import { createSweep } from "../../../service/sweep/sweep.ts";
import { eventually } from "../../support/eventually.ts";
import { testDatabase } from "../../support/postgres.ts";
import {
  type Bench,
  benchActions,
  config,
  killedBehind,
  reconcileBench,
  SHA,
  shop,
} from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

const STAGING = "shop:staging";
const PRODUCTION = "shop:production";
const YAML = "services: {web: x}\ndatabase: {migrate: m, seed: s, onPush: reset}\n";
const choice = { driver: "local", options: {} };
const withDatabase = { ...config, targets: config.targets.map((target) => ({ ...target, database: choice })) };

const stage = (more: Partial<StageConfig> & { readonly name: string }): StageConfig => ({
  approvals: { required: 0, own: false },
  waitSeconds: 0,
  onFailure: more.from === undefined ? "keep" : "rollback",
  target: "local",
  secrets: {},
  seed: false,
  ...more,
});
const staging = stage({ name: "staging", branch: "main" });
const production = stage({ name: "production", from: "staging" });

describe("a repository's stages", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let repository: RepositoryConfig;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    repository = { ...shop, stages: { staging, production } };
    bench = await reconcileBench(database.url);
    for (const sha of Object.values(SHA)) bench.forge.files.set(`${sha}:preview.yaml`, YAML);
    await push(SHA.a);
  });
  afterEach(() => bench.close());

  const findRepository = async () => repository;
  const look = (key: string, more = {}) => bench.reconcile(key, { config: withDatabase, findRepository, ...more });
  const actions = () => benchActions(bench, { repositories: async () => [repository] });
  async function push(commit: string): Promise<void> {
    bench.clock.advance(600);
    bench.forge.refs.set("main", commit);
    await look(STAGING);
  }
  async function promote(by = "@ana"): Promise<void> {
    await actions().promote(PRODUCTION, { from: "staging" }, by);
    await look(PRODUCTION);
  }
  const stateOf = async (key: string) => {
    const { status } = await bench.preview(key);
    return [status.condition, status.reason, status.live?.source.commit];
  };
  const built = (stack: string) =>
    bench.stacks.ups
      .filter(({ spec }) => spec.stack === stack)
      .map(({ spec }) => `${spec.source.commit[0]}${spec.generations.database}`);
  /** Every run of that commit ends as one whose service does not start. */
  const breaks = (commit: string) => {
    bench.stacks.during = async (run) => {
      if (!run.endsWith(commit.slice(0, 7))) return;
      throw new TerminalError({ reason: "StartFailed", userMessage: "starting web: it exited with 1" });
    };
  };

  it("follow their branch on one database that is neither reset nor seeded", async () => {
    await push(SHA.b);
    assert.deepEqual(built("shop-st-staging"), ["a0", "b0"]);
    assert.deepEqual(await stateOf(STAGING), ["Ready", "Healthy", SHA.b]);
    const { live } = (await bench.preview(STAGING)).status;
    assert.deepEqual(live?.database, { migrate: { command: "m", directory: "." } });
    assert.deepEqual([live?.gitBranch, live?.urls.web], ["main", "http://staging-shop.localhost:4000"]);
    assert.deepEqual([live?.tags.stage, live?.tags["hard-stop"]], ["staging", undefined]);
  });

  it("are seeded where the operator says so", async () => {
    repository = { ...shop, stages: { staging: { ...staging, seed: true } } };
    await push(SHA.b);
    assert.deepEqual((await bench.preview(STAGING)).status.live?.database?.seed, { command: "s", directory: "." });
  });

  it("neither sleep nor go however long nobody uses them, unless they are to sleep", async () => {
    bench.clock.advance(400 * 86_400);
    await look(STAGING);
    assert.deepEqual(await stateOf(STAGING), ["Ready", "Healthy", SHA.a]);
    repository = { ...shop, stages: { staging: { ...staging, sleepAfterSeconds: 60 } } };
    await look(STAGING);
    assert.equal((await bench.preview(STAGING)).status.reason, "Asleep");
  });

  it("wait for their first promotion, and then serve exactly that commit though the branch moves on", async () => {
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Stalled", "NothingPromoted", undefined]);
    await actions().promote(PRODUCTION, {}, "@ana");
    await push(SHA.b);
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.a]);
    assert.deepEqual(built("shop-st-production"), ["a0"]);
    const [entry] = (await bench.store.history(PRODUCTION, 50)).filter(({ reason }) => reason === "Promoted");
    assert.equal(entry?.message, 'aaaaaaa was promoted from "staging" by @ana.');
    const { entries } = await bench.store.audit({ key: PRODUCTION, limit: 5 });
    assert.deepEqual(
      entries.map(({ action, via }) => [action, via]),
      [["promote", "service"]],
    );
  });

  it("have each move in the audit though the service was killed right behind it", async () => {
    await actions().promote(PRODUCTION, {}, "@ana");
    await assert.rejects(look(PRODUCTION, { store: killedBehind(bench.store) }), /killed/);
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.a]);
    const { entries } = await bench.store.audit({ key: PRODUCTION, limit: 5 });
    assert.deepEqual(
      entries.map(({ actor, action, detail }) => [actor, action, detail]),
      [["stackling", "promote", 'aaaaaaa was promoted from "staging" by @ana.']],
    );
  });

  it("take over the images of that stage by their digests", async () => {
    const pinned = { "acme/shop:1": `acme/shop@sha256:${"1".repeat(64)}` };
    const images = { find: async () => assert.fail("no image is looked for") };
    const { status } = await bench.preview(STAGING);
    await bench.store.setStatus(STAGING, { live: status.live && { ...status.live, images: pinned } });
    await actions().promote(PRODUCTION, {}, "@ana");
    await look(PRODUCTION, { images });
    assert.deepEqual((await bench.preview(PRODUCTION)).intents.promoted?.images, pinned);
  });

  it("hold a promotion until somebody else approved that commit and its time came", async () => {
    const guarded = { ...production, approvals: { required: 1, own: false }, waitSeconds: 3600 };
    repository = { ...shop, stages: { staging, production: guarded } };
    await promote();
    await assert.rejects(
      actions().approvePromotion(PRODUCTION, { sha: SHA.a }, "@ana"),
      /nobody approves what is his own/,
    );
    await push(SHA.b);
    await assert.rejects(
      actions().approvePromotion(PRODUCTION, { sha: SHA.b }, "@ben"),
      /is of "aaaaaaa", not of "bbbbbbb"/,
    );
    await actions().approvePromotion(PRODUCTION, { sha: SHA.a }, "@ben");
    await look(PRODUCTION);
    const waiting = await bench.preview(PRODUCTION);
    assert.deepEqual([waiting.status.live, waiting.dueAt], [undefined, waiting.intents.promotion?.dueAt]);
    bench.clock.advance(3600);
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.a]);
    const { promoted, promotion } = (await bench.preview(PRODUCTION)).intents;
    assert.deepEqual([promoted?.approvals.map(({ by }) => by), promotion], [["@ben"], undefined]);
  });

  it("stay as they are when a promotion is cancelled", async () => {
    repository = { ...shop, stages: { staging, production: { ...production, waitSeconds: 60 } } };
    await promote();
    await assert.rejects(
      actions().cancelPromotion(PRODUCTION, { sha: SHA.b }, "@ben"),
      /cancelling the promotion "shop:production": the promotion that waits is of "aaaaaaa", not of "bbbbbbb"/,
    );
    await actions().cancelPromotion(PRODUCTION, { sha: SHA.a }, "@ana");
    bench.clock.advance(60);
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Stalled", "NothingPromoted", undefined]);
  });

  it("refuse to give on what does not serve well, and what is there already", async () => {
    await promote();
    await assert.rejects(promote(), /was given "aaaaaaa" already/);
    breaks(SHA.b);
    await push(SHA.b);
    await assert.rejects(promote(), /"staging" is not healthy \(StartFailed.*what serves there is "aaaaaaa"/);
    await assert.rejects(
      actions().promote(PRODUCTION, { from: "qa" }, "x"),
      /takes over from "staging", not from "qa"/,
    );
    await assert.rejects(actions().promote(STAGING, {}, "x"), /follows the branch "main"/);
    await assert.rejects(actions().promote("shop:qa", {}, "x"), /no such stage.*"shop" has staging, production/);
    await assert.rejects(actions().promote("shop#1", {}, "x"), /it is no stage/);
    await assert.rejects(actions().promote(PRODUCTION, { sha: SHA.c }, "x"), /serves aaaaaaa now, not ccccccc/);
  });

  it("go back by themselves to the last good commit, their database kept, and say so", async () => {
    await promote();
    await push(SHA.b);
    breaks(SHA.b);
    await promote();
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.a]);
    assert.deepEqual(built("shop-st-production"), ["a0", "b0", "a0"]);
    const { rolledBack } = (await bench.preview(PRODUCTION)).intents;
    assert.deepEqual([rolledBack?.sha, rolledBack?.by, rolledBack?.database], [SHA.a, "itself", "kept"]);
    const [entry] = (await bench.store.history(PRODUCTION, 50)).filter(({ reason }) => reason === "RolledBack");
    assert.match(entry?.message ?? "", /bbbbbbb failed \(StartFailed.*goes back to aaaaaaa by itself/);
    await look(PRODUCTION);
    assert.equal(built("shop-st-production").length, 3);
    bench.stacks.during = async () => {};
    await promote();
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.b]);
  });

  it("say what has a version tried again that failed", async () => {
    breaks(SHA.a);
    await promote();
    const said = async (key: string) => (await bench.preview(key)).status.message;
    assert.equal(await said(PRODUCTION), "starting web: it exited with 1. The next promotion tries again.");
    breaks(SHA.b);
    await push(SHA.b);
    assert.equal(await said(STAGING), "starting web: it exited with 1. A push tries again.");
  });

  it("wait out what is nothing of the commit, and do not go back for it", async () => {
    await promote();
    await push(SHA.b);
    bench.stacks.during = async () => {
      throw new StacklingError({ reason: "BackendUnavailable", userMessage: "the backend is away" });
    };
    await promote();
    assert.equal((await bench.preview(PRODUCTION)).intents.rolledBack, undefined);
    bench.stacks.during = async () => {};
    bench.clock.advance(600);
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.b]);
  });

  it("go by a person's confirmed word alone, and come again by a redeploy", async () => {
    await assert.rejects(actions().down(STAGING, "@ana"), { reason: "ConfirmationNeeded" });
    await actions().down(STAGING, "@ana", true);
    await look(STAGING);
    assert.equal((await bench.preview(STAGING)).status.reason, "Gone");
    await push(SHA.b);
    assert.equal((await bench.preview(STAGING)).status.reason, "Gone");
    await actions().redeploy(STAGING, "@ana");
    await look(STAGING);
    assert.deepEqual(await stateOf(STAGING), ["Ready", "Healthy", SHA.b]);
  });

  it("serve on when the config does not name them any more, and no sweep takes them", async () => {
    repository = shop;
    await look(STAGING);
    assert.deepEqual(await stateOf(STAGING), ["Stalled", "NotConfigured", SHA.a]);
    const deps = { ...bench.deps, store: bench.store, stacks: bench.stacks, forge: () => bench.forge, readAgainMs: 0 };
    const sweep = createSweep({ ...deps, repositories: async () => [] });
    await withClient(database.url, (client) => client.query("truncate preview"));
    const { found } = await sweep({ dryRun: false, confirm: ["shop-st-staging", STAGING] });
    assert.deepEqual([found, [...bench.stacks.existing.keys()]], [[], ["shop-st-staging"]]);
  });

  it("serve on while everything is stopped, and are not updated", async () => {
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    await look(STAGING);
    assert.deepEqual(await stateOf(STAGING), ["Ready", "Healthy", SHA.a]);
    await promote();
    await push(SHA.b);
    assert.deepEqual(await stateOf(STAGING), ["Reconciling", "Paused", SHA.a]);
    assert.equal((await bench.preview(PRODUCTION)).status.live, undefined);
    assert.equal((await bench.preview(STAGING)).status.awake, true);
    await bench.store.setPause(undefined);
    await look(STAGING);
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.a]);
  });

  it("are looked at by every resync and by a push to their branch, also where no record of them is left", async () => {
    const queued = async () => {
      const jobs = await bench.store.queue.fetch(100);
      for (const job of jobs) await bench.store.queue.done(job);
      return jobs.map(({ key }) => key).sort();
    };
    await withClient(database.url, (client) => client.query("truncate preview"));
    bench.stacks.existing.set("shop-st-production", {});
    const resync = startResync({
      ...bench.deps,
      store: bench.store,
      stacks: bench.stacks,
      repositories: async () => [repository],
      forge: () => bench.forge,
      intervalSeconds: 3600,
    });
    try {
      await resync.run();
      assert.deepEqual(await queued(), [PRODUCTION, STAGING]);
      resync.pushed("memory", "acme/shop", "main");
      const seen: string[] = [];
      await eventually(async () => seen.push(...(await queued())) > 0);
      assert.deepEqual(seen, [STAGING]);
    } finally {
      await resync.close();
    }
  });

  it("are outside the caps", async () => {
    const capped = { ...withDatabase, limits: { ...config.limits, previews: 1 } };
    const caps = createCaps({ seats: bench.store, config: capped, now: () => bench.clock.now });
    await bench.store.setStatus(STAGING, { awake: false });
    await actions()
      .promote(PRODUCTION, {}, "@ana")
      .catch(() => {});
    await look(PRODUCTION, { caps });
    await look(STAGING, { caps });
    assert.equal((await bench.preview(STAGING)).status.awake, true);
    assert.equal(await caps?.takeSeat("shop#1"), undefined);
  });

  it("know what was promoted though the store is lost", async () => {
    await promote();
    await withClient(database.url, (client) => client.query("truncate preview, seat, receipt, history, lease"));
    await look(PRODUCTION);
    assert.deepEqual(await stateOf(PRODUCTION), ["Ready", "Healthy", SHA.a]);
    assert.deepEqual(built("shop-st-production"), ["a0"]);
    assert.equal((await bench.preview(PRODUCTION)).intents.promoted?.by, "@ana");
  });

  it("refuse what would empty their database, and have no end to be moved", async () => {
    await assert.rejects(actions().resetDatabase(STAGING, "x"), /never made anew/);
    await assert.rejects(actions().seed(STAGING, undefined, "x"), /seed: true/);
    await assert.rejects(actions().keep(STAGING, "x"), /stays in any case/);
    await assert.rejects(actions().extend(STAGING, 60, "x"), /stays in any case/);
  });
});
