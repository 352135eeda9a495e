import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { neonDatabase } from "../../../components/database/neon.ts";
import { decodeFromEngine, TerminalError } from "../../../components/errors.ts";
import { registerTags } from "../../../infra/tags.ts";
import { type NeonProvider, startNeonProvider } from "../../support/neon-provider.ts";
import { aBranch, NEON_KEY, type NeonServer, startNeonServer } from "../../support/neon-server.ts";
import { requires } from "../../support/requires.ts";
import { createEngineWorld } from "../local/engine-world.ts";

process.env.STACKLING_TEST_NEON = NEON_KEY;

describe("a database branch under the real engine", requires("engine"), () => {
  let server: NeonServer;
  let provider: NeonProvider;
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let generation = 0;

  before(async () => {
    server = await startNeonServer();
    server.branches.push(aBranch({ id: "br-main", name: "main" }));
    provider = await startNeonProvider(server);
    const options = {
      ...neonDatabase.example().options,
      apiKey: { env: "STACKLING_TEST_NEON" },
      parent: "main",
      apiUrl: server.url,
    };
    world = await createEngineWorld("shop-pr-1", async () => {
      registerTags({}, "shop-pr-1");
      const database = new neonDatabase.component("database", { stack: "shop-pr-1", tags: {}, options, generation });
      return { name: database.name, identity: database.identity, url: database.url };
    });
    const { envVars } = world.stack.workspace;
    envVars.PULUMI_DEBUG_PROVIDERS = `${envVars.PULUMI_DEBUG_PROVIDERS},terraform-provider:${provider.port}`;
  });
  after(async () => {
    await world?.close();
    provider?.close();
    await server?.close();
  });

  const up = async () => (await world.stack.up()).outputs;
  const branches = () => server.branches.map(({ name }) => name);

  it("is refused in our words where the project is full", async () => {
    provider.refusal = "[HTTP Code: 422][Error Code: BRANCHES_LIMIT_EXCEEDED] branches limit exceeded";
    const told = await up().then(String, (error: Error) => error.message);
    provider.refusal = undefined;
    const failure = decodeFromEngine(told);
    assert.ok(failure instanceof TerminalError);
    assert.equal(failure.reason, "QuotaExceeded");
    assert.match(failure.message, /creating database branch "stackling\/shop-pr-1\/0"/);
  });

  it("is made although a killed create left one, and gets an expiry", async () => {
    server.branches.push(aBranch({ id: "br-left", name: "stackling/shop-pr-1/0", parent_id: "br-main" }));
    const outputs = await up();
    assert.deepEqual(branches(), ["main", "stackling/shop-pr-1/0"]);
    assert.notEqual(outputs.identity?.value, "br-left");
    assert.equal(outputs.url?.secret, true);
    assert.ok(server.branches[1]?.expires_at);
  });

  it("stays as it is in the next update by the same process", async () => {
    const log = provider.log.length;
    await up();
    assert.equal(provider.log.length, log);
  });

  it("is another one after a reset, made before the old one goes with all that is on it", async () => {
    const before = await up();
    const log = provider.log.length;
    generation = 1;
    const outputs = await up();
    assert.deepEqual(branches(), ["main", "stackling/shop-pr-1/1"]);
    assert.notEqual(outputs.identity?.value, before.identity?.value);
    const done = provider.log.slice(log);
    assert.equal(done[0], "create branch stackling/shop-pr-1/1");
    assert.deepEqual(
      done.filter((line) => line.startsWith("delete")),
      [`delete branch ${before.identity?.value}`],
    );
    assert.equal(done.filter((line) => line.startsWith("create")).length, 4);
  });

  it("makes its compute although a killed create left one", async () => {
    // What a kill between the branch and its compute leaves: the state knows the one and not the other.
    const state = await world.stack.exportStack();
    const resources = state.deployment.resources as { type: string; urn: string }[];
    state.deployment.resources = resources.filter(({ type }) => type !== "neon:index/endpoint:Endpoint");
    await world.stack.importStack(state);
    const [left] = server.endpoints.splice(0);
    assert.ok(left);
    server.endpoints.push({ ...left, branch_id: server.branches[1]?.id ?? "" });
    await up();
    assert.equal(server.endpoints.length, 1);
    assert.notEqual(server.endpoints[0]?.id, left.id);
  });

  it("goes with the stack", async () => {
    await world.stack.destroy();
    assert.deepEqual(branches(), ["main"]);
  });
});
