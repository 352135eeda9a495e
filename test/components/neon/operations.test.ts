import assert from "node:assert/strict";
import { after, beforeEach, describe, it } from "node:test";
import { neonDatabase } from "../../../components/database/neon.ts";
import { aBranch, anEndpoint, NEON_KEY, type NeonServer, startNeonServer } from "../../support/neon-server.ts";

type Options = ReturnType<typeof neonDatabase.example>["options"];

process.env.STACKLING_TEST_NEON = NEON_KEY;
const { operations } = neonDatabase;

let server: NeonServer;
const servers: NeonServer[] = [];
after(() => Promise.all(servers.map((one) => one.close())));
beforeEach(async () => {
  server = await startNeonServer();
  servers.push(server);
  server.branches.push(aBranch({ id: "br-main", name: "main" }));
  for (const stack of ["shop-pr-1", "shop-pr-11"]) {
    server.branches.push(
      aBranch({ id: `br-${stack}`, name: `stackling/${stack}/0`, expires_at: "2026-11-22T10:00:00Z" }),
    );
    server.endpoints.push(anEndpoint({ id: `ep-${stack}`, branch_id: `br-${stack}`, current_state: "active" }));
  }
});

function optionsOf(more: Partial<Options> = {}): Options {
  const { options } = neonDatabase.example();
  return { ...options, apiKey: { env: "STACKLING_TEST_NEON" }, parent: "main", apiUrl: server.url, ...more };
}

const stateOf = (id: string) => server.endpoints.find((endpoint) => endpoint.id === id)?.current_state;
const setAwake = (awake: boolean) => operations.setAwake?.({ options: optionsOf(), stack: "shop-pr-1" }, awake);

describe("a sleeping preview's compute", () => {
  it("is suspended, once, and no other preview's", async () => {
    await setAwake(false);
    await setAwake(false);
    assert.equal(stateOf("ep-shop-pr-1"), "idle");
    assert.equal(stateOf("ep-shop-pr-11"), "active");
    assert.equal(server.calls.filter((call) => call.endsWith("/suspend")).length, 1);
  });

  it("is started when the preview wakes, which puts its expiry off", async () => {
    await setAwake(false);
    await setAwake(true);
    assert.equal(stateOf("ep-shop-pr-1"), "active");
    const expiry = server.branches.find(({ id }) => id === "br-shop-pr-1")?.expires_at;
    assert.ok(Date.parse(expiry ?? "") > Date.now() + 29 * 86_400_000);
  });

  it("starts by the first query when Neon refuses to be asked, but is not suspended by itself at once", async () => {
    const options = optionsOf({ apiKey: { env: "STACKLING_TEST_NONE" } });
    await operations.setAwake?.({ options, stack: "shop-pr-1" }, true);
    await assert.rejects(operations.setAwake?.({ options, stack: "shop-pr-1" }, false) ?? Promise.resolve(), {
      reason: "SecretMissing",
    });
  });

  it("that Neon's people disabled is left alone and told of", async () => {
    const [endpoint] = server.endpoints;
    assert.ok(endpoint);
    server.endpoints[0] = { ...endpoint, disabled: true };
    await setAwake(false);
    assert.equal(stateOf("ep-shop-pr-1"), "active");
    const words = await operations.explain?.({ options: optionsOf(), stack: "shop-pr-1" });
    assert.equal(words, 'compute endpoint "ep-shop-pr-1" was disabled at Neon');
  });
});

describe("renewing", () => {
  const renew = (more: Partial<Options> = {}) => operations.renew?.({ options: optionsOf(more), stack: "shop-pr-1" });
  const expiry = (id: string) => server.branches.find((branch) => branch.id === id)?.expires_at ?? "";

  it("puts the moment off at which Neon removes the preview's branch, and no other's", async () => {
    const at = (await renew()) ?? "";
    assert.ok(Date.parse(at) > Date.now() + 29 * 86_400_000);
    assert.equal(expiry("br-shop-pr-1"), at.replace(/\.\d+Z$/, "Z"));
    assert.equal(expiry("br-shop-pr-11"), "2026-11-22T10:00:00Z");
  });

  it("does nothing where nothing ends", async () => {
    assert.equal(await renew({ expireAfterDays: false }), undefined);
    server.branches.length = 0;
    assert.equal(await renew(), undefined);
    assert.ok(!server.calls.some((call) => call.startsWith("PATCH")));
  });
});

describe("doctor", () => {
  const table: readonly (readonly [string, () => Partial<Options>, boolean, RegExp])[] = [
    [
      "finds project, parent and room",
      () => ({}),
      true,
      /"previews" is reached[\s\S]*branch "main"[\s\S]*3 of 10 branches/,
    ],
    ["misses the parent", () => ({ parent: "mian" }), false, /no branch "mian"/],
    [
      "misses a baseline",
      () => ({ baselines: { old: { branch: "gone", database: "a", role: "b" } } }),
      false,
      /no branch "gone"/,
    ],
    ["misses the project", () => ({ project: "other-project-1" }), false, /sees no project "other-project-1"/],
    ["misses the key", () => ({ apiKey: { env: "STACKLING_TEST_NONE" } }), false, /"STACKLING_TEST_NONE"/],
    ["finds nobody there", () => ({ apiUrl: "http://127.0.0.1:1" }), false, /does not answer/],
  ];
  for (const [outcome, more, ok, words] of table) {
    it(outcome, async () => {
      const findings = (await operations.check?.(optionsOf(more()))) ?? [];
      assert.equal(
        findings.every((finding) => finding.ok),
        ok,
      );
      assert.match(findings.map(({ what }) => what).join("\n"), words);
      for (const finding of findings) assert.ok(finding.ok || finding.remedy);
    });
  }

  it("finds a project that is full", async () => {
    server.limit = 3;
    const findings = (await operations.check?.(optionsOf())) ?? [];
    assert.deepEqual(findings.at(-1), {
      ok: false,
      what: "Neon's project has 3 of 3 branches",
      remedy: "close previews, or raise the plan's limit",
    });
  });
});

describe("the options", () => {
  const wrong: readonly (readonly [string, object])[] = [
    ["more than Neon's 30 days", { expireAfterDays: 31 }],
    ["a compute that never sleeps", { suspendTimeoutSeconds: -1 }],
    ["a key itself", { apiKey: "napi_x" }],
    ["no parent", { parent: undefined }],
  ];
  for (const [what, more] of wrong) {
    it(`refuse ${what}`, () => {
      assert.equal(neonDatabase.options.safeParse({ ...neonDatabase.example().options, ...more }).success, false);
    });
  }
});
