import assert from "node:assert/strict";
import { after, beforeEach, describe, it } from "node:test";
import { type Output, runtime } from "@pulumi/pulumi";
import { neonDatabase } from "../../../components/database/neon.ts";
import type { DatabaseArgs } from "../../../components/ports.ts";
import { aBranch, NEON_KEY, NEON_PROJECT, type NeonServer, startNeonServer } from "../../support/neon-server.ts";

type Options = ReturnType<typeof neonDatabase.example>["options"];

process.env.STACKLING_TEST_NEON = NEON_KEY;
const HARD_STOP = "2099-01-01T00:00:00.000Z";

let server: NeonServer;
const servers: NeonServer[] = [];
after(() => Promise.all(servers.map((one) => one.close())));
beforeEach(async () => {
  server = await startNeonServer();
  servers.push(server);
  server.branches.push(
    aBranch({ id: "br-empty", name: "empty" }),
    aBranch({ id: "br-main", name: "main", default: true }),
    aBranch({ id: "database-branch-id", name: "stackling/shop-pr-1/0", current_state: "init" }),
  );
  server.passwords.set("br-main/owner", "word of main");
  server.passwords.set("database-branch-id/owner", "word of main");
});

function optionsOf(more: Partial<Options> = {}): Options {
  const { options } = neonDatabase.example();
  const baselines = { main: { branch: "main", database: "shop", role: "owner" } };
  return {
    ...options,
    apiKey: { env: "STACKLING_TEST_NEON" },
    parent: "empty",
    baselines,
    apiUrl: server.url,
    ...more,
  };
}

interface Wish extends Partial<Pick<DatabaseArgs, "generation" | "baseline" | "rotation">> {
  readonly options?: Partial<Options>;
  readonly preview?: boolean;
}

async function declare({ options, preview = false, generation = 0, baseline, rotation = 0 }: Wish = {}) {
  const children: runtime.MockResourceArgs[] = [];
  const provided: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "neon:index/endpoint:Endpoint": { host: "ep-calm-1.us-east-2.aws.neon.tech" },
    "neon:index/role:Role": { password: "own/word" },
    "stackling:local:NeonMaskedBranch": { host: "ep-masked-1.us-east-2.aws.neon.tech" },
    "stackling:local:NeonPassword": { password: "another word" },
  };
  await runtime.setMocks(
    {
      call: () => ({}),
      newResource: (child) => {
        children.push(child);
        // Neon goes on making a branch for a while.
        if (child.type === "neon:index/branch:Branch" || child.type.endsWith("MaskedBranch")) settleSoon();
        return { id: `${child.name}-id`, state: { ...child.inputs, ...provided[child.type] } };
      },
    },
    "project",
    "stack",
    preview,
  );
  const component = new neonDatabase.component("database", {
    stack: "shop-pr-1",
    tags: { "hard-stop": HARD_STOP },
    options: optionsOf(options),
    generation,
    rotation,
    ...(baseline !== undefined && { baseline }),
  });
  const [name, url, identity] = await Promise.all([component.name, component.url, component.identity].map(resolved));
  await runtime.disconnect();
  const own = (type: string) => children.find((child) => child.type === `stackling:local:Neon${type}`)?.inputs;
  const of = (type: string) => children.find((child) => child.type.toLowerCase() === `neon:index/${type}:${type}`);
  return { children, name, url, identity, of, own };
}

function settleSoon(): void {
  const index = server.branches.findIndex(({ id }) => id === "database-branch-id");
  const branch = server.branches[index];
  if (branch) server.branches[index] = { ...branch, current_state: "ready" };
}

const expiryOf = (id: string) => server.branches.find((branch) => branch.id === id)?.expires_at;

describe("a preview without a baseline", () => {
  it("gets a branch of its own with a database, a role and a compute that scales to zero", async () => {
    const { name, url, identity, of } = await declare();
    const branchId = "database-branch-id";
    const projectId = NEON_PROJECT;
    assert.deepEqual(of("branch")?.inputs, { projectId, name: "stackling/shop-pr-1/0", parentId: "br-empty" });
    assert.deepEqual(of("role")?.inputs, { projectId, branchId, name: "shop_pr_1" });
    assert.deepEqual(of("database")?.inputs, { projectId, branchId, name: "shop_pr_1", ownerName: "shop_pr_1" });
    assert.deepEqual(of("endpoint")?.inputs, {
      projectId,
      branchId,
      type: "read_write",
      autoscalingLimitMinCu: 0.25,
      autoscalingLimitMaxCu: 1,
      suspendTimeoutSeconds: 300,
    });
    assert.equal(name, "shop_pr_1");
    assert.equal(identity, branchId);
    assert.equal(
      url,
      "postgres://shop_pr_1:own%2Fword@ep-calm-1.us-east-2.aws.neon.tech:5432/shop_pr_1?sslmode=require",
    );
  });

  it("is reached through the pooler where that is wanted", async () => {
    const { url } = await declare({ options: { pooled: true } });
    assert.match(url ?? "", /@ep-calm-1-pooler\.us-east-2\.aws\.neon\.tech:5432\//);
  });

  it("uses a provider of its own, whose inputs hold no key", async () => {
    const { children } = await declare();
    const provider = children.find(({ type }) => type === "pulumi:providers:neon");
    assert.equal(provider?.name, "database-provider");
    assert.deepEqual(provider?.inputs, {});
    const made = children.filter(({ type }) => type.startsWith("neon:"));
    assert.equal(made.length, 4);
    for (const child of made) assert.match(child.provider ?? "", /::database-provider::/);
  });

  it("is the same after a new commit, and only its expiry is renewed", async () => {
    const first = await declare();
    const renewed = expiryOf("database-branch-id");
    assert.match(renewed ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const second = await declare();
    assert.deepEqual(second.children, first.children);
    assert.equal(server.calls.filter((call) => call.startsWith("PATCH")).length, 2);
  });

  it("never expires where that is wanted, and nothing is changed by a dry run", async () => {
    await declare({ options: { expireAfterDays: false } });
    await declare({ preview: true });
    assert.equal(expiryOf("database-branch-id"), undefined);
  });

  it("gets another branch by a reset", async () => {
    const { of } = await declare({ generation: 1 });
    assert.equal(of("branch")?.inputs.name, "stackling/shop-pr-1/1");
  });
});

describe("a preview with a baseline", () => {
  it("gets the baseline's database with a password that opens no other branch", async () => {
    const { name, url, of } = await declare({ baseline: "main" });
    assert.partialDeepStrictEqual(of("branch")?.inputs, { name: "stackling/shop-pr-1/0/main", parentId: "br-main" });
    assert.equal(of("role"), undefined);
    assert.equal(of("database"), undefined);
    assert.equal(name, "shop");
    assert.match(url ?? "", /^postgres:\/\/owner:new%20word%20of%20database-branch-id@.*\/shop\?sslmode=require$/);
    assert.equal(server.passwords.get("br-main/owner"), "word of main");
  });

  it("keeps that password in the updates that follow", async () => {
    const first = await declare({ baseline: "main" });
    const second = await declare({ baseline: "main" });
    assert.equal(second.url, first.url);
    assert.equal(server.calls.filter((call) => call.endsWith("/reset_password")).length, 1);
  });

  it("leaves passwords alone in a dry run", async () => {
    await declare({ baseline: "main", preview: true });
    assert.equal(server.calls.filter((call) => call.startsWith("POST")).length, 0);
  });

  it("is refused when nobody named that baseline", async () => {
    await runtime.setMocks({ call: () => ({}), newResource: ({ name, inputs }) => ({ id: name, state: inputs }) });
    const args = { stack: "shop-pr-1", tags: {}, options: optionsOf(), generation: 0, baseline: "mian" };
    assert.throws(() => new neonDatabase.component("database", args), {
      name: "TerminalError",
      reason: "SpecInvalid",
      message: /branch of "shop-pr-1": baseline "mian" does not exist/,
    });
    await runtime.disconnect();
  });
});

describe("a preview with a baseline that Neon masks", () => {
  const masking = [
    { schema: "public", table: "users", column: "email", function: "anon.dummy_free_email()" },
    { schema: "crm", table: "notes", column: "text", value: "'-'" },
  ];
  const options = { baselines: { main: { branch: "main", database: "shop", role: "owner", masking } } };

  it("gets a branch made by its rules, whose compute came with it", async () => {
    const { children, own, of, url } = await declare({ baseline: "main", options });
    assert.partialDeepStrictEqual(own("MaskedBranch"), {
      account: { project: NEON_PROJECT, apiKey: { env: "STACKLING_TEST_NEON" } },
      name: "stackling/shop-pr-1/0/main/masked",
      parent: "main",
      compute: { minComputeUnits: 0.25, maxComputeUnits: 1, suspendTimeoutSeconds: 300 },
      rules: [
        {
          database_name: "shop",
          schema_name: "public",
          table_name: "users",
          column_name: "email",
          masking_function: "anon.dummy_free_email()",
        },
        {
          database_name: "shop",
          schema_name: "crm",
          table_name: "notes",
          column_name: "text",
          masking_value: "'-'",
        },
      ],
    });
    assert.equal(of("branch"), undefined);
    assert.equal(of("endpoint"), undefined);
    assert.ok(!children.some(({ type }) => type === "pulumi:providers:neon"));
    assert.match(url ?? "", /^postgres:\/\/owner:new%20word%20of%20database-branch-id@ep-masked-1\..*\/shop\?/);
    assert.ok(expiryOf("database-branch-id"));
  });

  it("needs a function or a value for each column", () => {
    const rule = (more: object) => ({
      ...neonDatabase.example().options,
      baselines: { main: { branch: "main", masking: [{ table: "users", column: "email", ...more }] } },
    });
    assert.ok(neonDatabase.options.safeParse(rule({ value: "NULL" })).success);
    for (const more of [{}, { value: "NULL", function: "anon.noise()" }]) {
      assert.equal(neonDatabase.options.safeParse(rule(more)).success, false);
    }
  });
});

describe("a rotation", () => {
  it("sets another password for the preview's own role, on the same branch", async () => {
    const [before, after] = [await declare(), await declare({ rotation: 2 })];
    assert.equal(before.own("Password"), undefined);
    assert.partialDeepStrictEqual(after.own("Password"), {
      branchId: "database-branch-id",
      role: "shop_pr_1",
      rotation: 2,
    });
    assert.match(after.url ?? "", /^postgres:\/\/shop_pr_1:another%20word@/);
    assert.deepEqual(after.of("branch"), before.of("branch"));
  });

  it("is what sets the password of a baseline's role, too", async () => {
    const { url } = await declare({ baseline: "main", rotation: 1 });
    assert.match(url ?? "", /^postgres:\/\/owner:another%20word@/);
    assert.equal(server.calls.filter((call) => call.endsWith("/reset_password")).length, 0);
  });
});

function resolved<T>(output: Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
