import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { type BranchInputs, branchResource } from "../../../components/supabase/branch-resource.ts";
import {
  aBranch,
  SUPABASE_PROJECT,
  SUPABASE_TOKEN,
  type SupabaseServer,
  startSupabaseServer,
} from "../../support/supabase-server.ts";

const NAME = "stackling/shop-pr-1/0";
const CREATE = `POST /projects/${SUPABASE_PROJECT}/branches`;
const TWO_HOURS_AGO = new Date(Date.now() - 2 * 60 * 60_000).toISOString();

let server: SupabaseServer;
beforeEach(async () => {
  server = await startSupabaseServer();
});
afterEach(() => server.close());

const inputs = (more: Partial<BranchInputs> = {}): BranchInputs => ({
  account: { accessToken: { env: "STACKLING_TEST_SUPABASE" }, apiUrl: server.url },
  project: SUPABASE_PROJECT,
  name: NAME,
  withData: false,
  connection: "session",
  rotation: 0,
  ...more,
});
const context = (more: Partial<ResourceContext> = {}): ResourceContext => ({
  settings: { dataDir: "/nowhere" },
  stack: "shop-pr-1",
  admit: async () => undefined,
  signal: new AbortController().signal,
  log: () => undefined,
  ...more,
});
const create = (more: Partial<BranchInputs> = {}) => branchResource.create(context(), inputs(more), "branch");
const named = () => server.branches.map(({ name }) => name);

describe("a preview branch at Supabase", () => {
  it("is made without rows, and is whole when its server runs and its migrations are in it", async () => {
    server.stages.push(["CREATING_PROJECT", "COMING_UP"], ["RUNNING_MIGRATIONS", "ACTIVE_HEALTHY"]);
    const { id, state } = await create();
    const [, made] = server.branches;
    assert.deepEqual([made?.id, made?.name, made?.with_data, made?.persistent], [id, NAME, false, false]);
    assert.deepEqual(server.stages, []);
    assert.equal(state.ref, made?.project_ref);
  });

  it("is reached by the pooler that keeps sessions, by the other, or directly", async () => {
    const { state } = await create();
    const word = encodeURIComponent(`word/of ${state.ref}`);
    const pooler = `postgres://postgres.${state.ref}:${word}@aws-0-eu-central-1.pooler.supabase.com`;
    assert.equal(state.url, `${pooler}:5432/postgres?sslmode=require`);
    const moved = async (connection: BranchInputs["connection"]) =>
      (await branchResource.update?.(context(), server.branches[1]?.id ?? "", state, inputs({ connection })))?.url;
    assert.equal(await moved("transaction"), `${pooler}:6543/postgres?sslmode=require`);
    const direct = `postgres://postgres:${word}@db.${state.ref}.supabase.co:5432/postgres?sslmode=require`;
    assert.equal(await moved("direct"), direct);
  });

  it("tells its own address and keys", async () => {
    const { state } = await create();
    assert.deepEqual(state.environment, {
      SUPABASE_URL: `https://${state.ref}.supabase.co`,
      SUPABASE_ANON_KEY: `anon of ${state.ref}`,
      SUPABASE_SERVICE_ROLE_KEY: `service of ${state.ref}`,
    });
  });

  it("brings all rows of another project where a baseline says so", async () => {
    await create({ project: "tsrqponmlkjihgfedcba", withData: true });
    const [, made] = server.branches;
    assert.deepEqual([made?.parent_project_ref, made?.with_data], ["tsrqponmlkjihgfedcba", true]);
  });

  it("is removed again where its migrations failed, and says so", async () => {
    server.stages.push(["MIGRATIONS_FAILED", "ACTIVE_HEALTHY"]);
    await assert.rejects(create(), /waiting for preview branch "stackling\/shop-pr-1\/0": MIGRATIONS_FAILED/);
    assert.deepEqual(named(), ["main"]);
  });

  it("is removed again where its server never came up", async () => {
    server.stages.push(["CREATING_PROJECT", "INIT_FAILED"]);
    await assert.rejects(create(), /INIT_FAILED/);
    assert.deepEqual(named(), ["main"]);
  });

  it("is what a create left that died, or whose answer was lost", async () => {
    server.failures.push({ on: CREATE, status: 502, after: true });
    await assert.rejects(create(), /Supabase cannot do it now/);
    const { id } = await create();
    assert.deepEqual(named(), ["main", NAME]);
    assert.equal(id, server.branches[1]?.id);
  });

  for (const [what, other] of [
    ["has stood there for long", { created_at: TWO_HOURS_AGO }],
    ["is persistent", { persistent: true }],
  ] as const) {
    it(`is never one of its name that ${what}`, async () => {
      server.branches.push(aBranch({ name: NAME, ...other }));
      await assert.rejects(create(), (error) => error instanceof TerminalError && error.reason === "NameTaken");
      assert.deepEqual(named(), ["main", NAME]);
    });
  }

  it("gets another password by a rotation, and keeps its data", async () => {
    const { id, state } = await create();
    const rotated = inputs({ rotation: 1 });
    assert.deepEqual(branchResource.diff(state, rotated), { changes: true, replaces: [] });
    const after = await branchResource.update?.(context(), id, state, rotated);
    const word = server.passwords.get(state.ref) ?? "";
    assert.doesNotMatch(word, /^word/);
    assert.equal(new URL(after?.url ?? "").password, word);
    assert.deepEqual(branchResource.diff(after ?? state, rotated), { changes: false, replaces: [] });
  });

  it("is another one for another name or project, and for nothing else", () => {
    const state = { ...inputs(), ref: "", url: "", environment: {} };
    assert.deepEqual(branchResource.diff(state, inputs({ name: "stackling/shop-pr-1/1" })).replaces, ["name"]);
    assert.deepEqual(branchResource.diff(state, inputs({ project: "other" })).replaces, ["project"]);
    assert.deepEqual(branchResource.diff(state, inputs({ withData: true, instanceSize: "large" })), {
      changes: false,
      replaces: [],
    });
  });

  it("is gone after two deletes, and is seen to be", async () => {
    const { id, state } = await create();
    assert.equal(await branchResource.read(context(), id, state), state);
    await branchResource.delete(context(), id, state);
    await branchResource.delete(context(), id, state);
    assert.deepEqual(named(), ["main"]);
    assert.equal(await branchResource.read(context(), id, state), undefined);
  });

  it("is not deleted once somebody made it persistent", async () => {
    const { id, state } = await create();
    const [, made] = server.branches;
    assert.ok(made);
    made.persistent = true;
    await assert.rejects(branchResource.delete(context(), id, state), /somebody made it persistent/);
    assert.deepEqual(named(), ["main", NAME]);
  });
});

describe("Supabase's refusals", () => {
  it("are waited for where it asks for patience", async () => {
    server.failures.push({ status: 429 }, { status: 503 }, { on: CREATE, status: 429 });
    await create();
    assert.deepEqual(named(), ["main", NAME]);
  });

  it("say which project the token does not see", async () => {
    await assert.rejects(create({ project: "zzzzzzzzzzzzzzzzzzzz" }), /sees no project "zzzzzzzzzzzzzzzzzzzz"/);
  });

  it("say that the plan is full", async () => {
    server.failures.push({ on: CREATE, status: 402, message: "Branching needs a paid plan" });
    await assert.rejects(create(), (error) => error instanceof TerminalError && error.reason === "QuotaExceeded");
  });

  it("never say the token", async () => {
    process.env.STACKLING_TEST_SUPABASE = "sbp_of_yesterday";
    await assert.rejects(create(), (error) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "TargetForbidden");
      assert.doesNotMatch(error.message, /sbp_/);
      return true;
    });
    process.env.STACKLING_TEST_SUPABASE = SUPABASE_TOKEN;
  });
});
