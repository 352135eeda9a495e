/**
 * One side of the scale's lines, in a process of its own: the real store, worker, resync, sweep and
 * routes, with forge, engine and world in memory. Told by its arguments and, then, by messages; each
 * is answered by a number.
 */
import process from "node:process";
import { createRoutes } from "../service/gateway/routes.ts";
import { reconcile } from "../service/reconcile.ts";
import { startResync } from "../service/resync.ts";
import { openStore } from "../service/store/postgres.ts";
import { createSweep } from "../service/sweep/sweep.ts";
import { startWorker } from "../service/worker.ts";
import { pullRequest } from "../test/support/memory-forge.ts";
import { reconcileBench, SHA, shop, silent } from "../test/support/reconcile-world.ts";

export type ScaleQuestion = "event" | "resync" | "sweep";

const AT_ONCE = 8;
const NEVER_SECONDS = 1_000_000;

const [role = "", url = "", count = ""] = process.argv.slice(2);
const roles: Readonly<Record<string, () => Promise<void>>> = { work: () => work(Number(count)), memory };
await roles[role]?.();

/** Fills the store with `previews`, nine of ten asleep, and answers in milliseconds how long each question took. */
async function work(previews: number): Promise<void> {
  const bench = await reconcileBench(url);
  const { store, deps, forge, stacks, clock } = bench;
  for (let number = 1; number <= previews; number++) forge.pulls.set(number, pullRequest(number, SHA.a));
  const keys = [...forge.pulls.keys()].map((number) => `shop#${number}`);
  const lookAtAll = async () => {
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => bench.reconcile(key)));
    }
  };
  await lookAtAll();
  for (const key of keys.filter((_, index) => index % 10 !== 0)) {
    await store.update(key, ({ intents, status }) => ({
      intents: { ...intents, asleep: true, asleepSince: clock.now },
      status: { ...status, awake: false, reason: "Asleep" },
    }));
  }
  // What is written down at the first look after that would be asked of each of many, and of few only once.
  await lookAtAll();
  const world = { ...deps.world, configured: deps.config.targets };
  const looked = new Map<string, () => void>();
  const worker = startWorker({
    queue: store.queue,
    reconcile: async (key) => {
      await reconcile({ ...deps, onWish: worker.onWish }, key);
      looked.get(key)?.();
    },
    lookAgain: () => {},
    calm: async () => {},
    concurrency: AT_ONCE,
    logger: silent,
  });
  const common = { store, stacks, repositories: async () => [shop], forge: () => forge, now: () => clock.now };
  const resync = startResync({ ...common, intervalSeconds: NEVER_SECONDS, logger: silent });
  const sweep = createSweep({ ...deps, ...common, world });
  let deliveries = 0;
  const questions: Readonly<Record<ScaleQuestion, () => Promise<unknown>>> = {
    event() {
      deliveries += 1;
      const key = keys[deliveries % keys.length] ?? "";
      const decided = new Promise<void>((resolve) => looked.set(key, resolve));
      const deliveryId = `delivery-${deliveries}`;
      return store.receive([{ forge: "memory", deliveryId, event: "pull_request", key }]).then(() => decided);
    },
    resync: () => resync.run(),
    sweep: () => sweep({ dryRun: true }),
  };
  process.on("message", async (question: ScaleQuestion) => {
    const began = performance.now();
    await questions[question]();
    process.send?.(performance.now() - began);
  });
  process.once("disconnect", () => process.exit());
  process.send?.(0);
}

/** Bytes of heap with everything that the service keeps of its previews while nobody asks. */
async function memory(): Promise<void> {
  const store = await openStore({ url, holder: "memory", logger: silent, now: () => new Date().toISOString() });
  const routes = await createRoutes({ store, domain: "localhost:4000", onError: () => {} });
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.(heapUsed + external);
  routes.close();
  await store.close();
  process.disconnect();
}
