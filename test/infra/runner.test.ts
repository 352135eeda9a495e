import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { StacklingError } from "../../components/errors.ts";
import type { RunEvent, Stacks, UpRequest } from "../../infra/stacks.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type World } from "./world/world.ts";

describe("the runner", requires("engine"), () => {
  let world: World;
  let runner: Stacks;
  before(async () => {
    world = await createWorld();
    runner = await world.runner({}, 2);
  });
  after(() => world.remove());

  const up = (stack: string, more: Partial<UpRequest> = {}) =>
    runner.up({ spec: spec(stack), secrets: {}, refresh: false, mayBeNew: true, lease: world.lease(stack), ...more });
  const thing = async (name: string) =>
    JSON.parse(await readFile(join(world.dataDir, "world", `${name}.json`), "utf8"));

  it("brings a stack up with its public outputs, tells what happens, and destroys it without a trace", async () => {
    const stack = "shop-pr-1";
    const events: RunEvent[] = [];
    const wish = spec(stack);
    const { outputs, changes } = await up(stack, { spec: wish, onEvent: (event) => events.push(event) });
    const expected = { spec: wish, addresses: { web: "127.0.0.1:7" }, hosts: ["pr-1-shop.localhost:4000"] };
    assert.deepEqual(outputs, expected);
    assert.deepEqual(changes, { create: 5 });
    assert.deepEqual(await runner.outputs(stack), expected);
    assert.deepEqual(await runner.list(), [stack]);
    assert.equal(events[0]?.kind, "started");
    assert.equal(events.at(-1)?.kind, "finished");
    assert.ok(
      events.some(({ type, done, operation }) => type === "stackling:local:Thing" && done && operation === "create"),
    );

    const { removed } = await runner.destroy({ stack, lease: world.lease(stack) });
    assert.ok(removed.some((urn) => urn.endsWith("::shop-pr-1-one")));
    assert.deepEqual(world.things(), []);
    assert.deepEqual(await runner.remains(stack), []);
    assert.deepEqual(await runner.list(), []);
    assert.equal(await runner.outputs(stack), undefined);
  });

  it("succeeds at destroying a stack when there is none", async () => {
    const { removed } = await runner.destroy({ stack: "shop-pr-404", lease: world.lease("shop-pr-404") });
    assert.deepEqual(removed, []);
  });

  it("changes nothing, with one engine process, when the spec is the same", async () => {
    const stack = "shop-pr-2";
    await up(stack);
    const lease = world.lease(stack);
    const before = lease.engines.length;
    const { changes, outputs } = await up(stack, { lease });
    assert.deepEqual(changes, { same: 5 });
    assert.deepEqual(outputs.addresses, { web: "127.0.0.1:7" });
    assert.equal(lease.engines.length - before, 1);
  });

  it("sets each stack's own tags when two run at once", async () => {
    const hold = "both";
    const first = up("shop-pr-3", { spec: spec("shop-pr-3", [{ name: "one", hold }]) });
    const second = up("shop-pr-4", { spec: spec("shop-pr-4", [{ name: "one", hold }]) });
    await world.appears("shop-pr-3-one.json", "shop-pr-4-one.json");
    await world.release(hold);
    await Promise.all([first, second]);
    assert.deepEqual((await thing("shop-pr-3-one")).tags, { preview: "shop-pr-3", stack: "shop-pr-3" });
    assert.deepEqual((await thing("shop-pr-4-one")).tags, { preview: "shop-pr-4", stack: "shop-pr-4" });
  });

  it("keeps reason and excerpt of a provider's error", async () => {
    const stack = "shop-pr-5";
    const failing = up(stack, { spec: spec(stack, [{ name: "one", fault: "refuse" }]) });
    await assert.rejects(failing, (error) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "Refused");
      assert.equal(error.userMessage, "creating a thing: refused");
      assert.deepEqual(error.excerpt, ["line 1", "line 2"]);
      return true;
    });
  });

  it("reports what is missing and what was changed, and makes it good when asked to refresh", async () => {
    const stack = "shop-pr-6";
    const wish = spec(stack, [
      { name: "one", value: "1" },
      { name: "two", value: "2" },
    ]);
    await up(stack, { spec: wish });
    assert.deepEqual((await runner.drift({ stack, lease: world.lease(stack) })).differences, []);
    await rm(join(world.dataDir, "world", `${stack}-one.json`));
    await world.overwrite(`${stack}-two.json`, { ...(await thing(`${stack}-two`)), value: "3" });

    const { differences } = await runner.drift({ stack, lease: world.lease(stack) });
    const found = differences.map(({ name, kind }) => `${name} ${kind}`).sort();
    assert.deepEqual(found, [`${stack}-one missing`, `${stack}-two changed`]);
    assert.match(differences.find(({ kind }) => kind === "missing")?.message ?? "", /^thing ".*one.json" is missing$/);

    await up(stack, { spec: wish, refresh: true });
    assert.equal((await thing(`${stack}-one`)).value, "1");
    assert.equal((await thing(`${stack}-two`)).value, "2");
  });

  it("keeps granted secrets out of outputs and readable state", async () => {
    const stack = "shop-pr-7";
    const { outputs } = await up(stack, {
      spec: spec(stack, [{ name: "one" }], { grantedSecrets: ["KEY"] }),
      secrets: { KEY: "hunter2-hunter2" },
    });
    const state = await readFile(join(world.dataDir, "state/.pulumi/stacks/stackling", `${stack}.json`), "utf8");
    assert.doesNotMatch(state + JSON.stringify(outputs), /hunter2/);
  });

  it("fails the run alone when its program leaves a stray rejection", async () => {
    const hold = "neighbour";
    const neighbour = up("shop-pr-8", { spec: spec("shop-pr-8", [{ name: "one", hold }]) });
    await world.appears("shop-pr-8-one.json");
    const wish = spec("shop-pr-9");
    wish.target.service.options.stray = true;
    await assert.rejects(up("shop-pr-9", { spec: wish }), { reason: "EngineFailed" });
    await world.release(hold);
    await neighbour;
    await up("shop-pr-9");
  });

  it("refuses an unknown driver with the names of the known ones", async () => {
    const wish = spec("shop-pr-10");
    wish.target.dns.driver = "route53";
    await assert.rejects(up("shop-pr-10", { spec: wish }), {
      name: "TerminalError",
      userMessage: 'choosing the dns driver: "route53" is not one of "world", "cloudflare"',
    });
  });
});
