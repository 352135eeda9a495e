import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { planetscaleDatabase } from "../../../components/database/planetscale.ts";
import { registerTags } from "../../../infra/tags.ts";
import {
  aBranch,
  PLANETSCALE_ACCOUNT,
  PLANETSCALE_TOKEN,
  type PlanetscaleServer,
  startPlanetscaleServer,
} from "../../support/planetscale-server.ts";
import { requires } from "../../support/requires.ts";
import { createEngineWorld } from "../local/engine-world.ts";

describe("a branch at PlanetScale under the real engine", requires("engine"), () => {
  let server: PlanetscaleServer;
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let generation = 0;
  let rotation = 0;

  before(async () => {
    server = await startPlanetscaleServer();
    const example = planetscaleDatabase.example().options;
    const options = { ...example, ...PLANETSCALE_ACCOUNT, apiUrl: server.url };
    world = await createEngineWorld("shop-pr-1", async () => {
      registerTags({}, "shop-pr-1");
      const database = new planetscaleDatabase.component("database", {
        stack: "shop-pr-1",
        tags: {},
        options,
        generation,
        rotation,
      });
      return { name: database.name, identity: database.identity, url: database.url };
    });
  });
  after(async () => {
    await world?.close();
    await server?.close();
  });

  const up = async () => (await world.stack.up()).outputs;
  const branches = () => server.branches.map(({ name }) => name);

  it("is made with a password, although a killed create left a branch", async () => {
    server.branches.push(aBranch({ name: "stackling-0-none-shop-pr-1" }));
    const { url, identity } = await up();
    assert.deepEqual(branches(), ["main", "stackling-0-none-shop-pr-1"]);
    assert.equal(identity?.value, server.branches[1]?.id);
    assert.equal(server.passwords.length, 1);
    assert.match(url?.value, new RegExp(`^mysql://${server.passwords[0]?.username}:`));
    assert.equal(url?.secret, true);
  });

  it("keeps neither token nor password in its state in plain", async () => {
    const folder = join(world.dataDir, ".pulumi");
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".json"));
    const states = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    assert.ok(states.some((state) => state.includes("stackling:local:PlanetscalePassword")));
    for (const state of states) assert.ok(!state.includes(PLANETSCALE_TOKEN) && !state.includes("pscale_pw_"));
  });

  it("stays as it is in the next update, but for the time on its password", async () => {
    const [password] = server.passwords;
    assert.ok(password);
    password.expires_at = new Date(Date.now() + 60_000).toISOString();
    const before = await up();
    assert.deepEqual(await up(), before);
    assert.deepEqual(server.passwords, [password]);
    assert.ok(Date.parse(password.expires_at) > Date.now() + 23 * 3_600_000);
  });

  it("gets another password once the old one ended, and keeps its data", async () => {
    const before = await up();
    const [password] = server.passwords;
    assert.ok(password);
    password.expires_at = new Date(Date.now() - 1_000).toISOString();
    const after = await up();
    assert.equal(after.identity?.value, before.identity?.value);
    assert.notEqual(after.url?.value, before.url?.value);
    assert.equal(server.passwords.length, 1);
  });

  it("makes the new password of a rotation before it revokes the old one", async () => {
    const from = server.calls.length;
    rotation = 1;
    await up();
    const done = server.calls.slice(from).filter((call) => /^(POST|DELETE) .*passwords/.test(call));
    const kinds = done.filter((call) => !call.endsWith("/renew")).map((call) => call.split(" ")[0]);
    assert.deepEqual(kinds, ["POST", "DELETE"]);
    assert.deepEqual(
      server.passwords.map(({ name }) => name),
      ["stackling-admin-1"],
    );
  });

  it("is another one after a reset", async () => {
    generation = 1;
    await up();
    assert.deepEqual(branches(), ["main", "stackling-1-none-shop-pr-1"]);
    assert.equal(server.passwords.length, 1);
  });

  it("revokes the password and goes, with the stack", async () => {
    const from = server.calls.length;
    await world.stack.destroy();
    assert.deepEqual(branches(), ["main"]);
    const revoked = server.calls.slice(from).findIndex((call) => /^DELETE .*passwords/.test(call));
    const gone = server.calls.slice(from).findIndex((call) => /^DELETE \/branches\/[^/]+$/.test(call));
    assert.ok(revoked >= 0 && revoked < gone);
  });
});
