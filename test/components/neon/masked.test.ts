import assert from "node:assert/strict";
import { after, beforeEach, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { stackOf } from "../../../components/neon/branches.ts";
import { maskedBranchResource } from "../../../components/neon/masked-branch-resource.ts";
import { passwordResource } from "../../../components/neon/password-resource.ts";
import { aBranch, NEON_KEY, NEON_PROJECT, type NeonServer, startNeonServer } from "../../support/neon-server.ts";

process.env.STACKLING_TEST_NEON = NEON_KEY;
const NAME = "stackling/shop-pr-1/0/main/masked";
const JUST_NOW = () => new Date().toISOString();

let server: NeonServer;
const servers: NeonServer[] = [];
after(() => Promise.all(servers.map((one) => one.close())));
beforeEach(async () => {
  server = await startNeonServer();
  servers.push(server);
  server.branches.push(aBranch({ id: "br-main", name: "main", default: true }));
  server.passwords.set("br-main/owner", "word of main");
});

const account = () => ({ project: NEON_PROJECT, apiKey: { env: "STACKLING_TEST_NEON" }, apiUrl: server.url });
const rules = [
  {
    database_name: "shop",
    schema_name: "public",
    table_name: "users",
    column_name: "email",
    masking_function: "anon.dummy_free_email()",
  },
];
const compute = { minComputeUnits: 0.25, maxComputeUnits: 1, suspendTimeoutSeconds: 300 };
const inputs = (more = {}) => ({ account: account(), name: NAME, parent: "main", rules, compute, ...more });
const context = (more: Partial<ResourceContext> = {}): ResourceContext => ({
  settings: { dataDir: "/nowhere" },
  stack: "shop-pr-1",
  admit: async () => undefined,
  signal: new AbortController().signal,
  log: () => undefined,
  ...more,
});
const create = (more = {}) => maskedBranchResource.create(context(), inputs(more), "branch");
const named = () => server.branches.map(({ name }) => name);

describe("a branch that Neon masks", () => {
  it("is there once its rules were applied, with the compute that they needed", async () => {
    server.stages.push("created", "initialized", "anonymizing");
    const { id, state } = await create();
    assert.deepEqual(server.stages, []);
    assert.deepEqual(server.masks.get(id), rules);
    const endpoints = server.endpoints.filter((endpoint) => endpoint.branch_id === id);
    assert.deepEqual(
      endpoints.map(({ host }) => host),
      [state.host],
    );
  });

  for (const state of ["error", "initialization_error"]) {
    it(`is removed where its masking ended as "${state}", whose words may quote a row`, async () => {
      server.stages.push(state);
      await assert.rejects(create(), (error: Error) => {
        assert.match(error.message, new RegExp(`masking branch "${NAME}": it is "${state}"; see that`));
        assert.doesNotMatch(error.message, /shop\.public\.users/);
        return true;
      });
      assert.deepEqual(named(), ["main"]);
    });
  }

  it("is made anew where a killed create left one, which may hold what nobody masked", async () => {
    server.branches.push(aBranch({ id: "br-left", name: NAME, parent_id: "br-main", created_at: JUST_NOW() }));
    const { id } = await create();
    assert.deepEqual(named(), ["main", NAME]);
    assert.notEqual(id, "br-left");
  });

  for (const [what, other] of [
    ["has stood there for long", { parent_id: "br-main" }],
    ["was made of another", { parent_id: "br-other", created_at: JUST_NOW() }],
    ["is protected", { parent_id: "br-main", created_at: JUST_NOW(), protected: true }],
  ] as const) {
    it(`is never one of its name that ${what}`, async () => {
      server.branches.push(aBranch({ id: "br-there", name: NAME, ...other }));
      await assert.rejects(create(), (error) => error instanceof TerminalError && error.reason === "NameTaken");
      assert.deepEqual(named(), ["main", NAME]);
    });
  }

  it("is refused by name where its parent is missing", async () => {
    await assert.rejects(create({ parent: "gone" }), /baseline branch "gone" does not exist/);
  });

  it("keeps its data when its compute changes, and is another one by its name alone", async () => {
    const { id, state } = await create();
    const larger = inputs({ compute: { ...compute, maxComputeUnits: 4 } });
    assert.deepEqual(maskedBranchResource.diff(state, larger), { changes: true, replaces: [] });
    await maskedBranchResource.update?.(context(), id, state, larger);
    assert.equal(server.endpoints[0]?.autoscaling_limit_max_cu, 4);
    assert.deepEqual(maskedBranchResource.diff(state, inputs({ rules: [] })), { changes: false, replaces: [] });
    assert.deepEqual(maskedBranchResource.diff(state, inputs({ name: "stackling/shop-pr-1/1/main" })).replaces, [
      "name",
    ]);
  });

  it("is known by its name", () => {
    assert.equal(stackOf({ name: NAME }), "shop-pr-1");
    assert.equal(stackOf({ name: `${NAME}/more` }), undefined);
  });

  it("is gone after two deletes, and is seen to be", async () => {
    const { id, state } = await create();
    assert.equal(await maskedBranchResource.read(context(), id, state), state);
    await maskedBranchResource.delete(context(), id, state);
    await maskedBranchResource.delete(context(), id, state);
    assert.deepEqual(named(), ["main"]);
    assert.equal(await maskedBranchResource.read(context(), id, state), undefined);
  });
});

describe("a rotated password at Neon", () => {
  it("is another one than before, on this branch alone", async () => {
    const { id: branchId } = await create();
    const wish = { account: account(), branchId, role: "owner", rotation: 1 };
    const { state } = await passwordResource.create(context(), wish, "password");
    assert.equal(server.passwords.get(`${branchId}/owner`), state.password);
    assert.notEqual(state.password, "word of main");
    assert.equal(server.passwords.get("br-main/owner"), "word of main");
    assert.deepEqual(passwordResource.diff(state, wish), { changes: false, replaces: [] });
    assert.deepEqual(passwordResource.diff(state, { ...wish, rotation: 2 }).replaces, ["rotation"]);
  });
});
