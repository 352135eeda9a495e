/** The store's loss, as one preview sees it: what the stack's outputs give back. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import type { AllActions } from "../../service/actions.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, reconcileBench, SHA } from "../support/reconcile-world.ts";

const KEY = "shop#1";
const DAY_SECONDS = 86_400;

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("a preview whose store was lost", () => {
  let bench: Bench;
  let actions: AllActions;

  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    actions = benchActions(bench);
    await push(SHA.a);
  });
  afterEach(() => bench.close());

  async function push(commit: string): Promise<void> {
    bench.forge.pulls.set(1, pullRequest(1, commit));
    await bench.reconcile(KEY);
  }

  async function loseStore(): Promise<void> {
    await withClient(database.url, (client) => client.query("truncate preview, seat, receipt, history, lease"));
    await bench.reconcile(KEY);
  }

  it("is kept as before, and extended as far, as its last update knew", async () => {
    await actions.keep(KEY, "ada");
    await actions.extend(KEY, 40 * DAY_SECONDS, "ada");
    const { extendedTo } = (await bench.preview(KEY)).intents;
    await bench.reconcile(KEY);
    assert.equal(bench.stacks.ups.length, 1, "a wish of this kind is no update");
    await push(SHA.b);
    await loseStore();
    const { intents } = await bench.preview(KEY);
    assert.equal(intents.keep, true);
    assert.equal(intents.extendedTo, extendedTo);
    assert.equal(bench.stacks.ups.length, 2, "nor is being told it again");
    bench.clock.advance(365 * DAY_SECONDS);
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.goneAt, undefined);
  });

  it("is waited for from the word on that brings its repository back, not called unknown still", async () => {
    const ref = "feature/cart";
    bench.forge.refs.set(ref, SHA.a);
    bench.forge.files.set(`${SHA.a}:preview.yaml`, "services: {web: x}\n");
    const { upByHand } = benchActions(bench, { repositories: async () => [] });
    const up = () => upByHand({ repository: "/srv/shop", ref, by: "ada" });
    const { key } = await up();
    await bench.reconcile(key);
    await withClient(database.url, (client) => client.query("truncate preview, seat, receipt, history, lease"));
    await bench.reconcile(key, { findRepository: async () => undefined });
    assert.equal((await bench.preview(key)).status.reason, "NotConfigured");
    const { status } = await up();
    assert.deepEqual([status.condition, status.reason], ["Reconciling", "Queued"]);
    await bench.reconcile(key);
    assert.equal((await bench.preview(key)).status.condition, "Ready");
    await bench.store.forgetRepository("shop");
  });

  it("has the feature flags that a person set", async () => {
    bench.forge.files.set("main:preview.yaml", "services: {web: x}\nflags: {theme: light}\n");
    await bench.reconcile(KEY);
    await actions.flag(KEY, { name: "theme", value: "dark" }, "ada");
    await bench.reconcile(KEY);
    const ups = bench.stacks.ups.length;
    await loseStore();
    const { intents, status } = await bench.preview(KEY);
    assert.deepEqual([intents.flags, status.live?.flags?.theme?.value], [{ theme: "dark" }, "dark"]);
    assert.equal(bench.stacks.ups.length, ups, "being told it again is no update");
  });

  it("has all its time anew where it was kept after the last update", async () => {
    bench.clock.advance(29 * DAY_SECONDS);
    await actions.keep(KEY, "ada");
    await loseStore();
    assert.equal((await bench.preview(KEY)).intents.keep, false);
    bench.clock.advance(29 * DAY_SECONDS);
    await bench.reconcile(KEY);
    assert.equal((await bench.preview(KEY)).status.goneAt, undefined);
  });
});
