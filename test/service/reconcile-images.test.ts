/** Reconcile on a target that runs images: a real registry, from waiting to pinned. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError } from "../../components/errors.ts";
import type { TargetConfig } from "../../service/config/types.ts";
import { configuredRegistry, configuredSignatures } from "../../service/images/configured.ts";
import { createImages } from "../../service/images/images.ts";
import type { ReconcileDeps } from "../../service/reconcile.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, config, reconcileBench, SHA } from "../support/reconcile-world.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { keySigner } from "../support/signing.ts";

const KEY = "shop#1";
const choice = { driver: "local", options: {} };
const cloud: TargetConfig = { name: "local", runs: "images", service: choice, dns: choice, secrets: choice };

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("reconcile, where images run", () => {
  let bench: Bench;
  let registry: TestRegistry;
  let more: Partial<ReconcileDeps>;

  beforeEach(async () => {
    [bench, registry] = await Promise.all([reconcileBench(database.url), startRegistry()]);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    writeYaml("{sha}");
    const prepareSource = async () => assert.fail("nothing is checked out");
    more = { config: { ...config, targets: [cloud] }, prepareSource };
  });
  afterEach(() => Promise.all([bench.close(), registry.close()]));

  const writeYaml = (tag: string) =>
    bench.forge.files.set(
      "main:preview.yaml",
      `services: {web: {image: "${registry.host}/acme/shop:${tag}", sidecars: {cache: {image: "${registry.host}/redis:8", port: 6379}}}}\n`,
    );
  const look = async () => {
    await bench.reconcile(KEY, more);
    return bench.preview(KEY);
  };
  const push = (commit: string, text?: string) => registry.push("acme/shop", commit, text);
  const pinOf = (digest: string) => `${registry.host}/acme/shop@${digest}`;
  const named = (commit: string) => `${registry.host}/acme/shop:${commit}`;

  it("waits without lease or engine, says for what, and looks again", async () => {
    registry.push("redis", "8");
    const { status, dueAt } = await look();
    assert.deepEqual([status.condition, status.reason], ["Reconciling", "WaitingForImage"]);
    assert.equal(status.message, `Waiting for image "${named(SHA.a)}", since 12:00, until 12:15 UTC.`);
    assert.deepEqual([status.stackExists, status.interrupted, bench.stacks.runs], [false, false, []]);
    assert.equal(dueAt, "2026-03-01T12:00:10.000Z");
    assert.deepEqual(bench.announced, ["shop#1 Reconciling WaitingForImage"]);
    const lease = await bench.store.acquireLease("shop-pr-1");
    assert.ok(lease, "nothing holds the stack");
    await lease.release();
  });

  it("looks every 10 s, later every 30 s, and says the same until it changes", async () => {
    const pauses: number[] = [];
    const messages = new Set<string>();
    for (let round = 0; round < 99; round++) {
      const { status, dueAt } = await look();
      if (status.reason !== "WaitingForImage" || !dueAt) break;
      messages.add(status.message);
      pauses.push((Date.parse(dueAt) - Date.parse(bench.clock.now)) / 1000);
      bench.clock.now = dueAt;
    }
    assert.deepEqual([pauses[0], pauses.at(-2), messages.size], [10, 30, 1]);
    assert.equal(bench.clock.now, "2026-03-01T12:15:00.000Z");
  });

  it("asks the registry no more often than that, whoever looks", async () => {
    await look();
    const asked = registry.asked.length;
    for (let visit = 0; visit < 5; visit++) await look();
    assert.equal(registry.asked.length, asked);
  });

  it("comes up with the pinned image as soon as CI has pushed it", async () => {
    const redis = registry.push("redis", "8");
    await look();
    const digest = push(SHA.a);
    bench.clock.advance(10);
    const { status } = await look();
    assert.deepEqual([status.condition, status.reason], ["Ready", "Healthy"]);
    const images = { [named(SHA.a)]: pinOf(digest), [`${registry.host}/redis:8`]: `${registry.host}/redis@${redis}` };
    assert.deepEqual(bench.stacks.ups[0]?.spec.images, images);
    assert.deepEqual(status.live?.images, images);
    assert.deepEqual(
      status.live?.services.map(({ image, port }) => [image, port]),
      [[named(SHA.a), 8080]],
    );
    assert.equal(status.imageWait, undefined);
  });

  it("keeps the digest on redeploy, retry and repair, though the tag has moved", async () => {
    registry.push("redis", "8");
    const digest = push(SHA.a);
    let failing = true;
    bench.stacks.during = async () => {
      if (failing) throw new StacklingError({ reason: "HealthCheckFailed", userMessage: "no answer" });
    };
    await look();
    push(SHA.a, "built again");
    registry.push("redis", "8", "newer");
    failing = false;
    bench.clock.advance(5);
    await look();
    await bench.store.update(KEY, ({ intents }) => ({
      intents: { ...intents, generations: { ...intents.generations, deploy: 1 } },
    }));
    await look();
    await bench.store.update(KEY, ({ status }) => ({ status: { ...status, interrupted: true } }));
    await look();
    const pins = bench.stacks.ups.map(({ spec }) => spec.images?.[named(SHA.a)]);
    assert.deepEqual(pins, Array(4).fill(pinOf(digest)));
    assert.equal(new Set(bench.stacks.ups.map(({ spec }) => spec.images?.[`${registry.host}/redis:8`])).size, 1);
  });

  it("runs what ran then when the push is taken back, and asks nobody", async () => {
    registry.push("redis", "8");
    const digest = push(SHA.a);
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    push(SHA.b);
    await look();
    push(SHA.a, "built again");
    registry.asked.length = 0;
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    const { status } = await look();
    assert.equal(status.live?.images?.[named(SHA.a)], pinOf(digest));
    assert.deepEqual(registry.asked, []);
  });

  describe("with signatures asked for", () => {
    const signer = keySigner();
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "stackling-signed-"));
      await writeFile(join(folder, "cosign.pub"), signer.publicKey ?? "");
      const key = { file: join(folder, "cosign.pub") };
      const signatures = configuredSignatures(
        {
          credentials: {},
          signatures: [{ images: [`${registry.host}/acme`], signer: { kind: "key", key, transparencyLog: false } }],
        },
        { dataDir: folder },
      );
      const images = createImages({
        registry: configuredRegistry({ credentials: {} }),
        signatures,
        waitSeconds: 900,
        now: () => bench.clock.now,
      });
      more = { ...more, images };
      registry.push("redis", "8");
    });
    afterEach(() => rm(folder, { recursive: true }));

    it("runs what is signed, and asks no signature of what no rule names", async () => {
      const digest = push(SHA.a);
      await signer.simple({ registry, repository: "acme/shop", digest });
      assert.equal((await look()).status.reason, "Healthy");
    });

    it("waits for the signature as it waits for the image, says so, and runs nothing in the end", async () => {
      push(SHA.a);
      const waiting = await look();
      assert.equal(waiting.status.reason, "WaitingForImage");
      assert.match(
        waiting.status.message,
        /It is there, but it must be signed by the key in ".*cosign.pub", and is not signed\.$/,
      );
      bench.clock.advance(900);
      const { status } = await look();
      assert.deepEqual([status.condition, status.reason], ["Stalled", "ImageUnsigned"]);
      assert.match(status.message, /was not signed within 15 min: it must be signed by .*docs\/images\.md/);
      assert.deepEqual(bench.stacks.ups, []);
    });

    it("asks again of what was pinned before, for the key may have changed", async () => {
      const digest = push(SHA.a);
      await signer.simple({ registry, repository: "acme/shop", digest });
      await look();
      await writeFile(join(folder, "cosign.pub"), keySigner().publicKey ?? "");
      await bench.store.update(KEY, ({ intents }) => ({
        intents: { ...intents, generations: { ...intents.generations, deploy: 1 } },
      }));
      const { status } = await look();
      assert.deepEqual([status.reason, status.live?.source.commit], ["WaitingForImage", SHA.a]);
      assert.equal(bench.stacks.ups.length, 1);
    });
  });

  it("keeps the old version serving while it waits, gives up in time, and starts anew on a push", async () => {
    registry.push("redis", "8");
    push(SHA.a);
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    const waiting = await look();
    assert.deepEqual([waiting.status.reason, waiting.status.live?.source.commit], ["WaitingForImage", SHA.a]);
    bench.clock.advance(900);
    const { status, dueAt } = await look();
    assert.deepEqual([status.condition, status.reason], ["Stalled", "ImageNotFound"]);
    assert.match(status.message, /was not there within 15 min.*docs\/images\.md.*stackling redeploy 'shop#1'/);
    assert.deepEqual([status.live?.source.commit, status.awake], [SHA.a, true]);
    assert.notEqual(dueAt, undefined, "it still falls asleep");
    bench.clock.advance(1);
    await look();
    assert.equal(registry.asked.filter((line) => line.includes(SHA.b)).length, 2, "and asks no more");
    bench.forge.pulls.set(1, pullRequest(1, SHA.c));
    assert.equal((await look()).status.imageWait?.until, "2026-03-01T12:30:01.000Z");
    push(SHA.c);
    bench.clock.advance(10);
    assert.equal((await look()).status.live?.source.commit, SHA.c);
  });

  it("looks again for its whole time on redeploy", async () => {
    registry.push("redis", "8");
    await look();
    bench.clock.advance(900);
    assert.equal((await look()).status.reason, "ImageNotFound");
    await bench.store.update(KEY, ({ intents }) => ({
      intents: { ...intents, generations: { ...intents.generations, deploy: 1 } },
    }));
    assert.equal((await look()).status.imageWait?.until, "2026-03-01T12:30:00.000Z");
    push(SHA.a);
    bench.clock.advance(10);
    assert.equal((await look()).status.reason, "Healthy");
  });

  it("waits its whole time for a commit that comes back", async () => {
    registry.push("redis", "8");
    push(SHA.a);
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    assert.equal((await look()).status.reason, "Healthy");
    bench.clock.advance(1800);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    assert.equal((await look()).status.reason, "WaitingForImage");
  });

  it("says so when a registry does not answer until the time is over, and takes the image up when it does", async () => {
    registry.push("redis", "8");
    registry.instead = (_request, response) => Boolean(response.writeHead(503).end());
    assert.match(
      (await look()).status.message,
      /until 12:15 UTC\. Its registry did not answer at the last look: .*503/,
    );
    bench.clock.advance(3000);
    const { status, dueAt } = await look();
    assert.deepEqual([status.condition, status.reason], ["Stalled", "ImageNotFound"]);
    assert.match(status.message, /^Still looking for image .*since 12:00 UTC, every 5 min\. .* answered 503/);
    assert.equal(dueAt, new Date(Date.parse(bench.clock.now) + 300_000).toISOString());
    registry.instead = () => false;
    push(SHA.a);
    bench.clock.advance(300);
    assert.equal((await look()).status.reason, "Healthy");
  });

  it("names both ways out when the registry denies the look", async () => {
    registry.instead = (_request, response) => Boolean(response.writeHead(403).end());
    assert.match((await look()).status.message, /denies the look: it is not pushed yet, or private; `images.creden/);
    bench.clock.advance(900);
    const { status } = await look();
    assert.equal(status.reason, "ImageNotFound");
    assert.match(status.message, /images\.credentials/);
  });

  it("asks again when the registry says, and goes on waiting", async () => {
    registry.instead = (_request, response) => Boolean(response.writeHead(429, { "Retry-After": "120" }).end());
    const { status, dueAt } = await look();
    assert.equal(status.reason, "WaitingForImage");
    assert.equal(dueAt, "2026-03-01T12:02:00.000Z");
  });

  it("waits on through an outage of the forge", async () => {
    registry.push("redis", "8");
    await look();
    bench.forge.outage = "502";
    bench.clock.advance(60);
    assert.equal((await look()).status.reason, "Unreachable");
    bench.forge.outage = undefined;
    bench.clock.advance(60);
    const { status } = await look();
    assert.deepEqual([status.reason, status.imageWait?.until], ["WaitingForImage", "2026-03-01T12:15:00.000Z"]);
  });

  it("ends as gone when it is closed while waiting", async () => {
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    const { status } = await look();
    assert.deepEqual([status.reason, status.imageWait, status.imagePins], ["Gone", undefined, undefined]);
    assert.deepEqual(bench.stacks.runs, []);
  });

  it("still sleeps and wakes while the image of a push is missing", async () => {
    registry.push("redis", "8");
    push(SHA.a);
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    registry.instead = ({ url }, response) => Boolean(url?.includes(SHA.b) && response.writeHead(503).end());
    await look();
    bench.clock.advance(3601);
    const { status } = await look();
    assert.deepEqual([status.reason, status.awake], ["ImageNotFound", false]);
    await bench.store.visited({ [KEY]: bench.clock.now });
    assert.equal((await look()).status.awake, true);
  });

  it("finds the pins in the stack when the store was lost", async () => {
    registry.push("redis", "8");
    const digest = push(SHA.a);
    await look();
    const elsewhere = await testDatabase();
    const lost = await reconcileBench(elsewhere.url);
    try {
      lost.forge.pulls.set(1, pullRequest(1, SHA.a));
      lost.forge.files.set("main:preview.yaml", bench.forge.files.get("main:preview.yaml") ?? "");
      for (const [stack, outputs] of bench.stacks.existing) lost.stacks.existing.set(stack, outputs);
      push(SHA.a, "built again");
      await lost.reconcile(KEY, more);
      assert.deepEqual(lost.stacks.runs, [], "the running spec is still the wanted one");
      await lost.store.update(KEY, ({ status }) => ({ status: { ...status, interrupted: true } }));
      await lost.reconcile(KEY, more);
      assert.equal(lost.stacks.ups[0]?.spec.images?.[named(SHA.a)], pinOf(digest));
    } finally {
      await lost.close();
      await elsewhere.drop();
    }
  });

  it("asks nobody about an image that is named by its digest", async () => {
    const digest = `sha256:${"d".repeat(64)}`;
    bench.forge.files.set("main:preview.yaml", `services: {web: {image: "acme/shop:1@${digest}"}}\n`);
    const { status } = await look();
    assert.deepEqual(Object.values(status.live?.images ?? {}), [`docker.io/acme/shop@${digest}`]);
    assert.deepEqual(registry.asked, []);
  });

  it("says which line to write when an application has only commands", async () => {
    bench.forge.files.set("main:preview.yaml", "build: npm run build\nservices: {web: npm start}\n");
    const { status } = await look();
    assert.deepEqual([status.condition, status.reason], ["Stalled", "SpecInvalid"]);
    assert.match(
      status.excerpt[0] ?? "",
      /`image: ghcr\.io\/acme\/shop:\{sha\}` under "services\.web".*docs\/images\.md/,
    );
  });
});
