/** An hour of previews on the real store, worker and webhooks, of which every number is known. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { RejectedDeliveryError, StacklingError } from "../../../components/errors.ts";
import type { Stacks } from "../../../infra/stacks.ts";
import { createCompare } from "../../../service/drift/compare.ts";
import { createMetrics, type Metrics } from "../../../service/metrics/metrics.ts";
import { reconcile } from "../../../service/reconcile.ts";
import { createSweep } from "../../../service/sweep/sweep.ts";
import { createWebhooks } from "../../../service/webhooks.ts";
import { startWorker, type Worker } from "../../../service/worker.ts";
import { eventually } from "../../support/eventually.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { type Samples, samplesBy, samplesOf } from "../../support/metrics.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, reconcileBench, SHA, shop, silent } from "../../support/reconcile-world.ts";

let database: Awaited<ReturnType<typeof testDatabase>>;
let bench: Bench;
let metrics: Metrics;
let stacks: Stacks;
let worker: Worker;
let webhooks: Server;
let samples: Samples;
let deliveries = 0;
/** Reconciles that found nothing to do. */
let idleLooks = 0;

before(async () => {
  database = await testDatabase();
  bench = await reconcileBench(database.url);
  metrics = createMetrics({ version: "1.2.3", store: bench.store, logger: silent });
  stacks = metrics.running(bench.stacks);
  const deps = { ...bench.deps, stacks };
  worker = startWorker({
    queue: bench.store.queue,
    reconcile: (key) =>
      metrics.reconciled(async (onActed) => {
        let acted = 0;
        const noted: typeof onActed = (act) => {
          acted += 1;
          onActed(act);
        };
        await reconcile({ ...deps, onActed: noted, onWish: worker.onWish }, key);
        if (acted === 0) idleLooks += 1;
      }),
    lookAgain: () => {},
    calm: async () => {},
    concurrency: 8,
    logger: silent,
  });
  webhooks = createServer((request, response) => void door("memory", request, response)).listen(0, "127.0.0.1");
  await once(webhooks, "listening");
  await live();
  samples = samplesOf(await metrics.text());
});

after(async () => {
  webhooks?.close();
  await worker?.drain();
  await bench?.close();
  await database?.drop();
});

const door = createWebhooks({
  forges: new Map([
    [
      "memory",
      {
        async verify({ headers, body }) {
          if (headers["x-signature"] !== "right") {
            throw new RejectedDeliveryError(401, { reason: "SignatureMismatch", userMessage: "it is not signed" });
          }
          const number = Number(body.toString()) || undefined;
          const event = headers["x-event"] ?? "";
          const about = number === undefined ? {} : { pullRequest: { repositoryPath: "acme/shop", number } };
          return { deliveryId: headers["x-delivery"] ?? "", event, ...about };
        },
      },
    ],
  ]),
  keyOf: (_forge, _path, number) => (number < 100 ? `shop#${number}` : undefined),
  receive: (delivery) => bench.store.receive([delivery]),
  counters: { add: () => {}, flush: async () => {}, close: async () => {} },
  onAnswered: (answered) => metrics.delivered(answered),
  limits: { maxBytes: 1_000, largeBodies: 1 },
  onError: () => {},
});

async function deliver(number: number, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const { port } = webhooks.address() as AddressInfo;
  deliveries += 1;
  const common = { "content-type": "application/json", "x-event": "pull_request", "x-signature": "right" };
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    headers: { ...common, "x-delivery": `d-${deliveries}`, ...headers },
    body: String(number),
    signal: AbortSignal.timeout(30_000),
  });
  await response.text();
}

/** Waits until nothing waits and nothing is worked on. */
const quiet = () =>
  eventually(async () => {
    const { depth, working } = await bench.store.backlog();
    return depth + working === 0 && worker.running().length === 0;
  });

async function pass(seconds: number): Promise<void> {
  bench.clock.advance(seconds);
  await bench.store.enqueueDue(bench.clock.now);
  await quiet();
}

function open(number: number, sha: string, changes = {}): Promise<void> {
  bench.forge.pulls.set(number, pullRequest(number, sha, changes));
  return deliver(number).then(async () => void (await quiet()));
}

/** Three pull requests: one that sleeps and wakes, one that fails at first, one that will not go at first. */
async function live(): Promise<void> {
  const { stacks: engine, clock, store, forge } = bench;
  const actions = benchActions(bench);
  const failing = new Set<string>();
  engine.during = async (run) => {
    clock.advance(run.startsWith("up ") ? 12 : 3);
    const [verb = "", stack = ""] = run.split(" ");
    if (failing.delete(`${verb} ${stack}`))
      throw new StacklingError({ reason: "BuildFailed", userMessage: `${run} failed` });
  };

  await open(1, SHA.a);
  failing.add("up shop-pr-2");
  await open(2, SHA.a);
  await pass(60);
  await open(3, SHA.a);
  await pass(300);

  await actions.sleep("shop#1", "ada");
  await quiet();
  await pass(600);
  await store.visited({ "shop#1": clock.now });
  await actions.wake("shop#1", "visit");
  await quiet();
  await pass(60);
  await open(1, SHA.b);

  failing.add("destroy shop-pr-3");
  await open(3, SHA.a, { state: "closed", merged: true });
  await pass(120);

  await deliver(2, { "x-delivery": "d-2" });
  await deliver(2, { "x-signature": "wrong" });
  await deliver(0, { "x-event": "star" });
  await deliver(404);
  await quiet();

  const compare = metrics.compared(createCompare({ ...bench.deps, stacks }));
  await compare("shop#1");
  const missing = {
    urn: "urn:x",
    type: "x",
    name: "web",
    kind: "missing",
    message: 'service "web" is missing',
  } as const;
  engine.drift = async () => ({ differences: [missing] });
  // By a person.
  await benchActions(bench, { compare }).drift("shop#2");
  await quiet();

  engine.left.set("shop-pr-9", ["locks/shop-pr-9"]);
  const sweep = createSweep({
    ...bench.deps,
    stacks,
    store,
    repositories: async () => [shop],
    forge: () => forge,
    readAgainMs: 0,
    onSwept: metrics.swept,
  });
  await sweep({ dryRun: true });
  await sweep({ dryRun: false });
  await actions.sleep("shop#2", "ada");
  await quiet();
}

const says = (metric: string) => samplesBy(samples, metric);
/** Without what never happened. */
const counts = (metric: string) => Object.fromEntries(Object.entries(says(metric)).filter(([, value]) => value > 0));

describe("the metrics after a scripted hour", () => {
  it("count each delivery once, by what became of it", () => {
    assert.deepEqual(says("stackling_deliveries_total"), {
      'event="",forge="memory",outcome="refused",reason="SignatureMismatch"': 1,
      'event="pull_request",forge="memory",outcome="notConfigured",reason=""': 1,
      'event="pull_request",forge="memory",outcome="received",reason=""': 6,
      'event="star",forge="memory",outcome="ignored",reason=""': 1,
    });
    assert.equal(deliveries, 9);
  });

  it("count the engine's runs as the engine does", () => {
    const ran = (verb: string) => bench.stacks.runs.filter((run) => run.startsWith(`${verb} `)).length;
    assert.deepEqual(counts("stackling_engine_runs_total"), {
      'operation="destroy",outcome="done"': ran("destroy") - 1,
      'operation="destroy",outcome="failed"': 1,
      'operation="drift",outcome="done"': 2,
      'operation="up",outcome="done"': ran("up") - 1,
      'operation="up",outcome="failed"': 1,
    });
  });

  it("tell each action's outcome", () => {
    const told = says("stackling_reconcile_duration_seconds_count");
    const { 'action="look",outcome="done"': looks = 0, ...acts } = told;
    assert.deepEqual(acts, {
      'action="destroy",outcome="done"': 1,
      'action="destroy",outcome="failed"': 1,
      'action="sleep",outcome="done"': 2,
      'action="up",outcome="done"': 4,
      'action="up",outcome="failed"': 1,
      'action="wake",outcome="done"': 1,
    });
    assert.ok(looks > 0);
    assert.equal(looks, idleLooks);
  });

  it("tell how long it took until people had their link, with what failed on the way", () => {
    // 12 s for two of them and the push; 12 + 60 + 12 s for the one that failed at first.
    assert.deepEqual(says("stackling_time_to_ready_seconds_count"), { 'repository="shop"': 4 });
    assert.deepEqual(says("stackling_time_to_ready_seconds_sum"), { 'repository="shop"': 12 + 84 + 12 + 12 });
    assert.deepEqual(says("stackling_wake_duration_seconds_count"), { 'repository="shop"': 1 });
  });

  it("tell previews by condition and lifecycle stage", () => {
    assert.deepEqual(says("stackling_previews"), {
      'condition="Ready",repository="shop",stage="Active"': 1,
      'condition="Ready",repository="shop",stage="Asleep"': 1,
    });
    assert.deepEqual(says("stackling_previews_by_reason"), {
      'reason="Asleep",repository="shop"': 1,
      'reason="Healthy",repository="shop"': 1,
    });
    for (const [name, value] of [
      ["asleep", 1],
      ["queued", 0],
      ["drifted", 1],
      ["destroy_failing", 0],
    ] as const) {
      assert.deepEqual(says(`stackling_previews_${name}`), { 'repository="shop"': value }, name);
    }
    assert.equal(samples.get("stackling_inbox_depth"), 0);
    assert.equal(samples.get("stackling_inbox_oldest_age_seconds"), 0);
    assert.equal(samples.get("stackling_paused"), 0);
    assert.equal(samples.get("stackling_store_up"), 1);
  });

  it("have a proof for every destroy that was done", () => {
    assert.deepEqual(says("stackling_destroy_attempts_total"), {
      'outcome="done",repository="shop"': 1,
      'outcome="failed",repository="shop"': 1,
    });
    assert.deepEqual(says("stackling_destroy_proofs_total"), { 'reason="Merged",repository="shop"': 1 });
    assert.equal(samples.get("stackling_previews_unproved"), 0);
  });

  it("tell what sweep and drift found", () => {
    assert.deepEqual(counts("stackling_sweeps_total"), { 'outcome="found"': 1 });
    assert.deepEqual(counts("stackling_sweep_strays_total"), { 'outcome="found"': 1, 'outcome="removed"': 1 });
    assert.deepEqual(says("stackling_sweep_last_strays"), {
      'outcome="failed"': 0,
      'outcome="found"': 1,
      'outcome="kept"': 0,
      'outcome="removed"': 1,
    });
    assert.deepEqual(says("stackling_drift_looks_total"), {
      'outcome="drifted",repository="shop"': 1,
      'outcome="same",repository="shop"': 1,
    });
  });

  it("name no pull request, commit, person or path", () => {
    const told = [...samples.keys()].join("\n");
    for (const secret of ["#", SHA.a, SHA.b, "ada", "acme", "feature-"]) assert.ok(!told.includes(secret), secret);
  });
});
