import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { supabaseDatabase } from "../../../components/database/supabase.ts";
import { branchName, stackOf } from "../../../components/supabase/branches.ts";
import * as operations from "../../../components/supabase/operations.ts";
import { aBranch, type SupabaseServer, startSupabaseServer } from "../../support/supabase-server.ts";

const OTHER = "tsrqponmlkjihgfedcba";

let server: SupabaseServer;
beforeEach(async () => {
  server = await startSupabaseServer();
});
afterEach(() => server.close());

const options = (more = {}) => ({
  ...supabaseDatabase.example().options,
  accessToken: { env: "STACKLING_TEST_SUPABASE" },
  apiUrl: server.url,
  ...more,
});
const context = () => ({ options: options(), stack: "shop-pr-1" });

describe("what Stackling owns at Supabase", () => {
  it("are preview branches by its names, in every project that it branches from", async () => {
    server.branches.push(
      aBranch({ name: "feature" }),
      aBranch({ name: branchName("shop-pr-1", 0) }),
      aBranch({ name: branchName("shop-pr-1", 1, "main"), parent_project_ref: OTHER }),
      aBranch({ name: branchName("blog-pr-2", 0) }),
      aBranch({ name: branchName("shop-pr-3", 0), persistent: true }),
    );
    const found = await operations.owned(options());
    assert.deepEqual(found.map(({ stack }) => stack).sort(), ["blog-pr-2", "shop-pr-1", "shop-pr-1"]);
    for (const thing of await operations.owned(options(), "shop-pr-1")) await operations.remove(options(), thing);
    assert.deepEqual(
      server.branches.map(({ name }) => stackOf({ name }) ?? name),
      ["main", "feature", "blog-pr-2", "shop-pr-3"],
    );
  });

  it("is nothing that could not be read whole", async () => {
    server.failures.push({ on: `GET /projects/${OTHER}/branches`, status: 404 });
    await assert.rejects(operations.owned(options()), /sees no project/);
  });
});

describe("explaining", () => {
  it("says that a branch is missing, being made, or took no migrations", async () => {
    assert.match((await operations.explain(context())) ?? "", /does not exist at Supabase/);
    const branch = aBranch({ name: branchName("shop-pr-1", 0) });
    server.branches.push(branch);
    server.stages.push(["CREATING_PROJECT", "COMING_UP"]);
    assert.match((await operations.explain(context())) ?? "", /still being made \(COMING_UP\)/);
    branch.status = "MIGRATIONS_FAILED";
    assert.match((await operations.explain(context())) ?? "", /could not take its project's migrations/);
    branch.status = "FUNCTIONS_DEPLOYED";
    assert.equal(await operations.explain(context()), undefined);
  });
});

describe("checking Supabase", () => {
  it("looks at each project that is branched from", async () => {
    const found = await operations.check(options());
    assert.deepEqual(
      found.map(({ ok }) => ok),
      [true, true],
    );
    const [lost] = await operations.check(options({ baselines: {}, project: "zzzzzzzzzzzzzzzzzzzz" }));
    assert.match(lost?.what ?? "", /sees no project "zzzzzzzzzzzzzzzzzzzz"/);
  });
});
