/** The same life of a stack on every backend that can run here; each test names the table's backend. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { StacklingError } from "../../components/errors.ts";
import { startTimeOf } from "../../components/local/process-identity.ts";
import type { Stacks, UpRequest } from "../../infra/stacks.ts";
import { startMoto } from "../support/moto.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Kind, requires } from "../support/requires.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { createWorld, spec, type World, type WorldBackend } from "./world/world.ts";

const STACK = "shop-pr-1";

/** Nobody renews these leases, and a loaded machine is slow. */
const UNHURRIED = { watchdogMs: 120_000 };

interface Backend {
  readonly needs: readonly Kind[];
  start(): Promise<WorldBackend & { stop(): Promise<void> }>;
}

const backends: Readonly<Record<string, Backend>> = {
  s3: {
    needs: ["engine", "python"],
    start: async () => {
      const { url, stop } = await startMoto();
      await fetch(`${url}/previews`, { method: "PUT" });
      return {
        url: `s3://previews?region=us-east-1&endpoint=${url}&s3ForcePathStyle=true`,
        environment: { AWS_ACCESS_KEY_ID: "a key", AWS_SECRET_ACCESS_KEY: "a secret" },
        stop,
      };
    },
  },
  postgres: {
    needs: ["engine", "postgres"],
    start: async () => {
      const { url, drop } = await testDatabase();
      return { url: `${url}?sslmode=disable`, stop: drop };
    },
  },
};

for (const [name, { needs, start }] of Object.entries(backends)) {
  describe(`state on ${name}`, requires(...needs), () => {
    let backend: Awaited<ReturnType<Backend["start"]>>;
    let world: World;
    let runner: Stacks;
    before(async () => {
      backend = await start();
      world = await createWorld(backend);
      runner = await world.runner(UNHURRIED);
    });
    after(async () => {
      await world.remove();
      await backend.stop();
    });

    const up = (more: Partial<UpRequest> = {}) =>
      runner.up({ spec: spec(STACK), secrets: {}, refresh: false, mayBeNew: true, lease: world.lease(STACK), ...more });
    const destroy = () => runner.destroy({ stack: STACK, lease: world.lease(STACK) });

    it("brings a stack up, knows its outputs, lists it, and destroys it without a trace", async () => {
      const wish = spec(STACK);
      assert.deepEqual(await runner.list(), []);
      assert.equal(await runner.outputs(STACK), undefined);
      assert.deepEqual((await up({ spec: wish })).changes, { create: 5 });
      assert.deepEqual((await up({ spec: wish, mayBeNew: false })).changes, { same: 5 });
      const outputs = await runner.outputs(STACK);
      assert.deepEqual(outputs?.spec, wish);
      assert.deepEqual(await runner.list(), [STACK]);
      assert.ok((await runner.remains(STACK)).includes(STACK));
      const { removed } = await destroy();
      assert.ok(removed.some((urn) => urn.endsWith(`::${STACK}-one`)));
      assert.deepEqual(world.things(), []);
      assert.deepEqual(await runner.remains(STACK), []);
      assert.equal(await runner.outputs(STACK), undefined);
    });

    it("succeeds at destroying a stack that is not there, twice, and makes nothing by it", async () => {
      for (const _ of ["once", "twice"]) assert.deepEqual((await destroy()).removed, []);
      assert.deepEqual(world.things(), []);
      assert.deepEqual(await runner.list(), []);
    });

    it("sees what is missing", async () => {
      await up();
      await world.take(`${STACK}-one.json`);
      const { differences } = await runner.drift({ stack: STACK, lease: world.lease(STACK) });
      assert.deepEqual(
        differences.map(({ kind }) => kind),
        ["missing"],
      );
      await up({ refresh: true });
      assert.deepEqual(world.things(), [`${STACK}-one.json`]);
      await destroy();
    });

    it("breaks the lock of its own engine that was killed, and heals", async () => {
      const lease = world.lease(STACK);
      const things = [{ name: "one", hold: "never" }, { name: "two" }];
      const outcome = up({ spec: spec(STACK, things), lease }).catch(({ reason }: StacklingError) => reason);
      await world.appears(`${STACK}-one.json`, `${STACK}-two.json`);
      process.kill(lease.engines[0]?.pid ?? 0, "SIGKILL");
      assert.equal(await outcome, "EngineInterrupted");
      await up({ spec: spec(STACK, [{ name: "one" }, { name: "two" }]), refresh: true });
      assert.deepEqual(world.things(), [`${STACK}-one.json`, `${STACK}-two.json`]);
      await destroy();
      assert.deepEqual(world.things(), []);
      assert.deepEqual(await runner.remains(STACK), []);
    });

    it("waits for another's engine, and never breaks its lock", async () => {
      const theirs = world.lease(STACK);
      const held = up({ spec: spec(STACK, [{ name: "one", hold: "go" }]), lease: theirs });
      await world.appears(`${STACK}-one.json`);
      const [engine] = theirs.engines;
      // To a runner whose leases know nothing of that engine it is a person's.
      const stranger = await world.runner(UNHURRIED);
      const request = { spec: spec(STACK), secrets: {}, refresh: false, mayBeNew: false };
      const own = world.stranger(STACK);
      await assert.rejects(stranger.up({ ...request, lease: own }), (error: StacklingError) => {
        assert.equal(error.reason, "StackLocked");
        assert.match(error.userMessage, new RegExp(`pid ${engine?.pid}\\) since .* for \\d+ s`));
        return true;
      });
      await assert.rejects(stranger.destroy({ stack: STACK, lease: own }), { reason: "StackLocked" });
      assert.equal(startTimeOf(engine?.pid ?? 0), engine?.startTime);
      await world.release("go");
      await held;
      await destroy();
    });
  });

  describe(`state on ${name}, over a line that is slow, or cut`, requires(...needs), () => {
    let undo: (() => Promise<unknown>)[] = [];
    after(async () => {
      for (const step of undo.toReversed()) await step();
      undo = [];
    });

    it("takes its time, says when the backend is away, and goes on when it is back", async () => {
      const backend = await start();
      undo.push(() => backend.stop());
      const [, at = "", port = ""] = /(127\.0\.0\.1|localhost):(\d+)/.exec(backend.url ?? "") ?? [];
      const line = await startTcpProxy({ host: "127.0.0.1", port: Number(port) });
      undo.push(() => line.leave());
      const world = await createWorld({
        ...backend,
        url: backend.url?.replace(`${at}:${port}`, `127.0.0.1:${line.port}`),
      });
      undo.push(() => world.remove());
      const runner = await world.runner(UNHURRIED);
      const wish = spec(STACK);
      const up = (refresh: boolean) =>
        runner.up({ spec: wish, secrets: {}, refresh, mayBeNew: true, lease: world.lease(STACK) });

      line.delayMs = 10;
      assert.deepEqual((await up(false)).changes, { create: 5 });
      assert.deepEqual((await runner.outputs(STACK))?.spec, wish);

      line.delayMs = 0;
      await line.leave();
      await assert.rejects(up(false), { reason: "BackendUnavailable" });
      await line.comeBack();
      assert.deepEqual((await up(true)).changes, { same: 5 });
      await runner.destroy({ stack: STACK, lease: world.lease(STACK) });
      assert.deepEqual([world.things(), await runner.remains(STACK)], [[], []]);
    });
  });
}
