import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSecret, type Output, output, runtime } from "@pulumi/pulumi";
import { supabaseDatabase } from "../../../components/database/supabase.ts";
import type { DatabaseArgs, ServiceDefinition } from "../../../components/ports.ts";
import { withNames, withValues } from "../../../infra/database-environment.ts";

type Wish = Partial<Pick<DatabaseArgs, "generation" | "baseline" | "rotation">>;

const PROJECT = "abcdefghijklmnopqrst";

async function declare(wish: Wish = {}) {
  const children: runtime.MockResourceArgs[] = [];
  await runtime.setMocks({
    call: () => ({}),
    newResource: (child) => {
      children.push(child);
      const state = { url: "postgres://user:word@host:5432/postgres", environment: { SUPABASE_ANON_KEY: "a key" } };
      return { id: `${child.name}-id`, state: { ...child.inputs, ...state } };
    },
  });
  const { options } = supabaseDatabase.example();
  const component = new supabaseDatabase.component("database", {
    stack: "shop-pr-1",
    tags: {},
    options,
    generation: 0,
    ...wish,
  });
  const values = await Promise.all([component.urn, component.name, component.url, component.identity].map(resolved));
  const secret = component.environment && (await isSecret(component.environment));
  const merged = await resolved(
    withValues(output<Readonly<Record<string, string>>>({ OWN: "1" }), supabaseDatabase, component),
  );
  await runtime.disconnect();
  const branch = children.find(({ type }) => type === "stackling:local:SupabaseBranch");
  return { values, secret, merged, branch };
}

describe("a preview with a branch at Supabase", () => {
  it("gets a branch without rows, whose password and keys are secret", async () => {
    const { branch, values, secret } = await declare();
    assert.deepEqual(
      { ...branch?.inputs, ref: undefined, url: undefined, environment: undefined },
      {
        account: { accessToken: { env: "SUPABASE_ACCESS_TOKEN" }, apiUrl: "https://api.supabase.com" },
        project: PROJECT,
        name: "stackling/shop-pr-1/0",
        withData: false,
        connection: "session",
        rotation: 0,
        ref: undefined,
        url: undefined,
        environment: undefined,
      },
    );
    assert.deepEqual(values.slice(1), ["postgres", "postgres://user:word@host:5432/postgres", "database-branch-id"]);
    assert.equal(secret, true);
  });

  it("starts from a baseline's project with its rows", async () => {
    const { branch } = await declare({ baseline: "main", rotation: 2 });
    const { project, withData, name, rotation } = branch?.inputs ?? {};
    assert.deepEqual(
      [project, withData, name, rotation],
      ["tsrqponmlkjihgfedcba", true, "stackling/shop-pr-1/0/main", 2],
    );
  });

  it("gives its services what its project is reached by, but where the application sets it itself", async () => {
    const { merged } = await declare();
    assert.deepEqual(merged, { OWN: "1", SUPABASE_URL: "", SUPABASE_ANON_KEY: "a key", SUPABASE_SERVICE_ROLE_KEY: "" });
    const service = { name: "web", environment: { SUPABASE_URL: "https://mine" } } as unknown as ServiceDefinition;
    assert.deepEqual(withNames(supabaseDatabase, service).environment, {
      SUPABASE_URL: "https://mine",
      SUPABASE_ANON_KEY: "${secrets.SUPABASE_ANON_KEY}",
      SUPABASE_SERVICE_ROLE_KEY: "${secrets.SUPABASE_SERVICE_ROLE_KEY}",
    });
  });

  it("says which baseline is missing", async () => {
    await assert.rejects(declare({ baseline: "other" }), /baseline "other" does not exist; name it among/);
    await runtime.disconnect();
  });
});

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
