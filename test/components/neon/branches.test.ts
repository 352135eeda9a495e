import assert from "node:assert/strict";
import { after, beforeEach, describe, it } from "node:test";
import { inspect } from "node:util";
import { StacklingError } from "../../../components/errors.ts";
import { createNeon, quotaExceeded, tellsOfQuota } from "../../../components/neon/api.ts";
import { clearBranchName, clearEndpoint, ownBranches, parentId } from "../../../components/neon/branches.ts";
import { clearDatabase, clearRole, ownPassword } from "../../../components/neon/roles.ts";
import {
  aBranch,
  anEndpoint,
  NEON_KEY,
  NEON_PROJECT,
  type NeonServer,
  startNeonServer,
} from "../../support/neon-server.ts";

let server: NeonServer;
const servers: NeonServer[] = [];
after(() => Promise.all(servers.map((one) => one.close())));
beforeEach(async () => {
  server = await startNeonServer();
  servers.push(server);
});

const neon = (apiKey = NEON_KEY, project = NEON_PROJECT) => createNeon({ project, apiKey, apiUrl: server.url });
const NAME = "stackling/shop-pr-1/0";
const AT = Date.parse("2026-11-21T10:00:00Z");

describe("before a database branch is created", () => {
  const clear = () => clearBranchName(neon(), NAME, "br-main");

  it("a free name is left as it is", async () => {
    server.branches.push(aBranch({ id: "br-1", name: `${NAME}0` }), aBranch({ id: "br-2", name: `x${NAME}` }));
    await clear();
    assert.equal(server.branches.length, 2);
  });

  it("what a killed create left is removed", async () => {
    server.branches.push(aBranch({ id: "br-1", name: NAME, parent_id: "br-main" }));
    await clear();
    assert.deepEqual(server.branches, []);
  });

  const foreign = [
    ["of another parent", { parent_id: "br-other" }],
    ["without a parent", {}],
    ["that is the project's default", { parent_id: "br-main", default: true }],
    ["that is protected", { parent_id: "br-main", protected: true }],
  ] as const;
  for (const [what, branch] of foreign) {
    it(`one ${what} is refused and kept`, async () => {
      server.branches.push(aBranch({ id: "br-1", name: NAME, ...branch }));
      await assert.rejects(clear(), { name: "TerminalError", reason: "NameTaken", message: /\(br-1\)/ });
      assert.equal(server.branches.length, 1);
    });
  }

  it("one that was in use is refused and kept", async () => {
    server.branches.push(aBranch({ id: "br-1", name: NAME, parent_id: "br-main" }));
    server.endpoints.push(anEndpoint({ id: "ep-1", branch_id: "br-1", current_state: "idle" }));
    await assert.rejects(clear(), { reason: "NameTaken", message: /reset-db/ });
    assert.equal(server.branches.length, 1);
  });
});

describe("before a part of a preview's own branch is created", () => {
  it("its compute endpoints are removed, and no other branch's", async () => {
    for (const branch of ["br-1", "br-2"]) {
      server.endpoints.push(anEndpoint({ id: `ep-${branch}`, branch_id: branch, current_state: "active" }));
    }
    await clearEndpoint(neon(), "br-1");
    assert.deepEqual(
      server.endpoints.map(({ id }) => id),
      ["ep-br-2"],
    );
  });

  it("its role is removed, twice", async () => {
    server.passwords.set("br-1/shop", "x").set("br-2/shop", "y");
    await clearRole(neon(), "br-1", "shop");
    await clearRole(neon(), "br-1", "shop");
    assert.deepEqual([...server.passwords.keys()], ["br-2/shop"]);
  });

  for (const [age, minutes, kept] of [
    ["young", 59, 0],
    ["old", 61, 1],
  ] as const) {
    it(`a database that is ${age} is ${kept ? "refused and kept" : "removed"}`, async () => {
      const created_at = new Date(AT).toISOString();
      const database = {
        id: 1,
        branch_id: "br-1",
        name: "shop",
        owner_name: "shop",
        created_at,
        updated_at: created_at,
      };
      server.databases.push(database);
      const clearing = clearDatabase(neon(), "br-1", "shop", AT + minutes * 60_000);
      if (kept) await assert.rejects(clearing, { reason: "NameTaken", message: /reset-db/ });
      else await clearing;
      assert.equal(server.databases.length, kept);
    });
  }
});

describe("Neon's branches", () => {
  it("are ours by their whole name, over all pages", async () => {
    const names = [
      "stackling/shop-pr-1/0",
      "stackling/shop-pr-1/3/main",
      "stackling/shop-pr-11/0",
      "main",
      "stackling/x",
      "a/stackling/y/0",
    ];
    server.branches.push(...names.map((name, index) => aBranch({ id: `br-${index}`, name })));
    assert.deepEqual(
      (await ownBranches(neon(), "shop-pr-1")).map(({ id }) => id),
      ["br-0", "br-1"],
    );
    assert.deepEqual(
      (await ownBranches(neon())).map(({ id }) => id),
      ["br-0", "br-1", "br-2"],
    );
  });

  it("that others start from must be there", async () => {
    server.branches.push(aBranch({ id: "br-1", name: "main-2" }));
    await assert.rejects(parentId(neon(), 'branching for "shop-pr-1"', "main"), {
      name: "TerminalError",
      message:
        'branching for "shop-pr-1": baseline branch "main" does not exist in Neon\'s project "spring-example-302709"',
    });
  });

  it("are waited for while Neon is busy", async () => {
    server.failures.push({ status: 423 }, { status: 429 }, { status: 503 });
    assert.deepEqual(await ownBranches(neon()), []);
    assert.equal(server.calls.length, 4);
  });

  it("must be those of a project that the key sees", async () => {
    await assert.rejects(ownBranches(neon(NEON_KEY, "other-project-1")), {
      reason: "TargetInvalid",
      message: /"other-project-1"/,
    });
  });

  it("keep the key to themselves when it is refused", async () => {
    await assert.rejects(ownBranches(neon("another-key")), (error) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "TargetForbidden");
      assert.match(error.message, /authentication: Bearer \[secret\]/);
      assert.doesNotMatch(inspect(error, { depth: 10 }), /another-key/);
      return true;
    });
  });

  it("have a cap, which has words", async () => {
    server.failures.push({ status: 422, code: "BRANCHES_LIMIT_EXCEEDED", message: "branches limit exceeded" });
    await assert.rejects(ownBranches(neon()), {
      name: "TerminalError",
      reason: "QuotaExceeded",
      message: /no room for another: branches limit exceeded \(BRANCHES_LIMIT_EXCEEDED\); close a preview/,
    });
    assert.equal(tellsOfQuota("[HTTP Code: 422][Error Code: BRANCHES_LIMIT_EXCEEDED] branches limit exceeded"), true);
    assert.equal(tellsOfQuota("[HTTP Code: 409][Error Code: ] branch already exists"), false);
    assert.match(
      quotaExceeded('creating database branch "x"', "limit exceeded").message,
      /^creating database branch "x":/,
    );
  });
});

describe("the password of an inherited role", () => {
  const role = { role: "owner", branchId: "br-1", parentId: "br-main", readOnly: false };

  it("is refused while it is the baseline's", async () => {
    server.passwords.set("br-main/owner", "new word of br-1").set("br-1/owner", "new word of br-1");
    await assert.rejects(ownPassword(neon(), role), {
      reason: "DatabaseFailed",
      message: /still that of the baseline/,
    });
  });

  it("needs the role", async () => {
    await assert.rejects(ownPassword(neon(), role), { reason: "SpecInvalid", message: /no such role/ });
  });
});
