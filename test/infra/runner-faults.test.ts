import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, truncate, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { StacklingError } from "../../components/errors.ts";
import { startTimeOf } from "../../components/local/process-identity.ts";
import type { Stacks, UpRequest } from "../../infra/stacks.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type TestLease, type World } from "./world/world.ts";

const STACK = "shop-pr-1";

describe("the runner, when things break", requires("engine"), () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.remove());

  const up = (runner: Stacks, more: Partial<UpRequest> = {}) =>
    runner.up({ spec: spec(STACK), secrets: {}, refresh: false, mayBeNew: true, lease: world.lease(STACK), ...more });

  /** An `up` that stays in the middle of a create. */
  async function stuck(runner: Stacks, lease: TestLease, more: { fault?: "deaf"; interrupt?: AbortSignal } = {}) {
    const { fault, ...request } = more;
    const things = [{ name: "one", hold: "never", ...(fault && { fault }) }, { name: "two" }];
    const outcome = up(runner, { spec: spec(STACK, things), lease, ...request }).then(
      () => ({ reason: "none", message: "it succeeded" }),
      ({ reason, message }: StacklingError) => ({ reason, message }),
    );
    await world.appears(`${STACK}-one.json`, `${STACK}-two.json`);
    return { outcome, engine: engineOf(lease) };
  }

  async function heals(runner: Stacks) {
    const things = [{ name: "one" }, { name: "two" }];
    await up(runner, { spec: spec(STACK, things) });
    assert.deepEqual(world.things(), [`${STACK}-one.json`, `${STACK}-two.json`]);
    assert.deepEqual((await runner.drift({ stack: STACK, lease: world.lease(STACK) })).differences, []);
    await runner.destroy({ stack: STACK, lease: world.lease(STACK) });
    assert.deepEqual(world.things(), []);
    assert.deepEqual(await runner.remains(STACK), []);
    assert.deepEqual(readdirSync(join(world.dataDir, "engine-runs")), []);
  }

  it("heals without a person when the engine was killed in the middle", async () => {
    const runner = await world.runner();
    const { outcome, engine } = await stuck(runner, world.lease(STACK));
    process.kill(engine, "SIGKILL");
    assert.equal((await outcome).reason, "EngineInterrupted");
    await heals(runner);
  });

  it("heals without a person when the runner was killed in the middle, engine and all", async () => {
    const runner = await world.runner();
    const { outcome, engine } = await stuck(runner, world.lease(STACK));
    process.kill(await parentOf(engine), "SIGKILL");
    assert.equal((await outcome).reason, "EngineInterrupted");
    await eventually(() => startTimeOf(engine) === undefined);
    await heals(runner);
  });

  it("gives the next run a fresh child when an engine broke down by itself", async () => {
    const runner = await world.runner();
    const { outcome, engine } = await stuck(runner, world.lease(STACK));
    const child = await parentOf(engine);
    // As in a panic, Go says where everybody was and exits with code 2.
    process.kill(engine, "SIGQUIT");
    // The second where the program was quicker to notice, and ended its process over it.
    assert.match((await outcome).reason, /^Engine(Failed|Interrupted)$/);
    await eventually(() => startTimeOf(child) === undefined);
    await heals(runner);
  });

  it("keeps what a failed run still waits for away from the next preview's run", async () => {
    const runner = await world.runner();
    const waits = join(world.dataDir, "waits");
    const failing = spec(STACK, [{ name: "one", fault: "refuse" }]);
    const service = { driver: "world", options: { ...failing.target.service.options, waits } };
    await assert.rejects(up(runner, { spec: { ...failing, target: { ...failing.target, service } } }), {
      reason: "Refused",
    });
    const other = "shop-pr-2";
    const next = up(runner, { spec: spec(other, [{ name: "one", hold: "go" }]), lease: world.lease(other) });
    await world.appears(`${other}-one.json`);
    await writeFile(waits, "");
    await world.release("go");
    await next;
  });

  it("destroys cleanly when the engine was killed in the middle of a create", async () => {
    const runner = await world.runner();
    const { outcome, engine } = await stuck(runner, world.lease(STACK));
    process.kill(engine, "SIGKILL");
    await outcome;
    await runner.destroy({ stack: STACK, lease: world.lease(STACK) });
    assert.deepEqual(await runner.remains(STACK), []);
  });

  it("starts no engine for a lease that was lost while it waited for a free runner", async () => {
    const runner = await world.runner();
    const lease = world.lease(STACK);
    lease.lose();
    await assert.rejects(up(runner, { lease }), { reason: "EngineInterrupted" });
    assert.deepEqual(lease.engines, []);
    assert.deepEqual(await runner.list(), []);
  });

  it("waits for a person's lock and never cancels it", async () => {
    const runner = await world.runner();
    await up(runner);
    const lock = await takeLock({ pid: process.pid, username: "alice", hostname: hostname() });
    await assert.rejects(up(runner), (error: Error & { reason?: string }) => {
      assert.equal(error.name, "ConflictError");
      assert.equal(error.reason, "StackLocked");
      assert.match(error.message, /alice@.*pid \d+.*for \d+ s/);
      return true;
    });
    assert.ok(existsSync(lock));
    await assert.rejects(runner.destroy({ stack: STACK, lease: world.lease(STACK) }), { reason: "StackLocked" });
    assert.ok(existsSync(lock));
  });

  it("does not cancel a lock of another machine, nor one of a pid that was never ours", async () => {
    const runner = await world.runner();
    await up(runner);
    const dead = 2 ** 22 - 1;
    const lease = world.lease(STACK);
    await takeLock({ pid: lease.engines[0]?.pid ?? 0, username: "root", hostname: "elsewhere" });
    await assert.rejects(up(runner), { reason: "StackLocked" });
    await world.clearLocks(STACK);
    await takeLock({ pid: dead, username: "root", hostname: hostname() });
    await assert.rejects(up(runner), { reason: "StackLocked" });
  });

  it("goes on behind a lock that an engine was killed in the middle of writing", async () => {
    const runner = await world.runner();
    await up(runner);
    const lock = await takeLock({ pid: process.pid, username: "alice", hostname: hostname() });
    const unfinished = `${lock}.18cc.tmp`;
    await rename(lock, unfinished);
    await truncate(unfinished);
    await utimes(unfinished, new Date("2026-01-01"), new Date("2026-01-01"));
    await up(runner);
    assert.ok(!existsSync(unfinished));
  });

  it("goes on behind notes that an engine was killed in the middle of writing", async () => {
    const runner = await world.runner();
    await up(runner);
    const notes = join(world.dataDir, `state/.pulumi/stacks/stackling/${STACK}.json.attrs`);
    await truncate(notes);
    await up(runner);
    await heals(runner);
  });

  it("kills engine and runner together when the lease of a frozen run was not renewed", async () => {
    const runner = await world.runner({ watchdogMs: 3_000 });
    const lease = world.lease(STACK);
    const stopRenewing = keepRenewing(lease);
    const { outcome, engine } = await stuck(runner, lease).finally(stopRenewing);
    const child = await parentOf(engine);
    process.kill(engine, "SIGSTOP");
    process.kill(child, "SIGSTOP");
    assert.equal((await outcome).reason, "EngineInterrupted");
    await eventually(() => startTimeOf(engine) === undefined && startTimeOf(child) === undefined);
  });

  it("kills a frozen runner although its lease is renewed", async () => {
    const runner = await world.runner({ watchdogMs: 3_000 });
    const lease = world.lease(STACK);
    const stopRenewing = keepRenewing(lease);
    try {
      const { outcome, engine } = await stuck(runner, lease);
      process.kill(await parentOf(engine), "SIGSTOP");
      assert.equal((await outcome).reason, "EngineInterrupted");
      await eventually(() => startTimeOf(engine) === undefined);
    } finally {
      stopRenewing();
    }
  });

  it("interrupts the engine once when it reports nothing for too long", async () => {
    const runner = await world.runner({ silenceMs: 5_000 });
    const { outcome } = await stuck(runner, world.lease(STACK));
    const { reason, message } = await outcome;
    assert.equal(reason, "EngineTimedOut");
    assert.match(message, /reported nothing for 5 s/);
    await heals(await world.runner());
  });

  it("kills the engine when it does not follow the interrupt", async () => {
    const runner = await world.runner({ killMs: 1_000 });
    const interrupt = new AbortController();
    const { outcome, engine } = await stuck(runner, world.lease(STACK), { fault: "deaf", interrupt: interrupt.signal });
    interrupt.abort();
    assert.equal((await outcome).reason, "EngineInterrupted");
    assert.equal(startTimeOf(engine), undefined);
  });

  it("interrupts the engine when the lease is lost", async () => {
    const runner = await world.runner();
    const lease = world.lease(STACK);
    const { outcome } = await stuck(runner, lease);
    lease.lose();
    assert.equal((await outcome).reason, "EngineInterrupted");
  });

  it("refuses the run of an overtaken lease", async () => {
    const runner = await world.runner();
    const old = world.lease(STACK);
    await up(runner);
    await assert.rejects(up(runner, { lease: old }), { reason: "FenceLost" });
  });

  it("does no work when the engine cannot be recorded", async () => {
    const runner = await world.runner();
    const recordEngine = async () => Promise.reject(new Error("the store is away"));
    await assert.rejects(up(runner, { lease: { ...world.lease(STACK), recordEngine } }));
    assert.deepEqual(world.things(), []);
    assert.deepEqual(await runner.remains(STACK), []);
  });

  it("leaves no process behind when it is closed in the middle of a run", async () => {
    const runner = await world.runner({ closeMs: 1_000 });
    const { outcome, engine } = await stuck(runner, world.lease(STACK), { fault: "deaf" });
    const child = await parentOf(engine);
    await runner.close();
    assert.equal((await outcome).reason, "EngineInterrupted");
    assert.equal(startTimeOf(child), undefined);
    await eventually(() => startTimeOf(engine) === undefined);
    await assert.rejects(up(runner), { reason: "Closing" });
  });

  async function takeLock(content: { pid: number; username: string; hostname: string }): Promise<string> {
    const folder = join(world.dataDir, "state/.pulumi/locks/organization/stackling", STACK);
    await mkdir(folder, { recursive: true });
    const file = join(folder, "a-lock.json");
    await writeFile(file, JSON.stringify({ ...content, timestamp: new Date().toISOString() }));
    return file;
  }
});

function keepRenewing(lease: TestLease): () => void {
  const timer = setInterval(() => lease.renew(), 50);
  return () => clearInterval(timer);
}

function engineOf(lease: TestLease): number {
  const pid = lease.engines[0]?.pid;
  assert.ok(pid !== undefined);
  return pid;
}

async function parentOf(pid: number): Promise<number> {
  const parent = /^PPid:\t(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(parent);
}
