import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { secretResource } from "../../components/local/secret.ts";
import { type DriverName, registry } from "../../components/registry.ts";
import { secretsContract } from "../contracts/secrets.ts";
import { ESC_TOKEN, type EscServer, escValue, startEscServer } from "../support/esc-server.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"secrets">, () => void> = {
  local: () => secretsContract({ name: "local", load: registry.secrets.local }),
  aws: () => secretsContract({ name: "aws", load: registry.secrets.aws }),
  external: () => secretsContract({ name: "external", load: registry.secrets.external }),
  esc: () => secretsContract({ name: "esc", load: registry.secrets.esc, options: escOptions }),
};

const servers: EscServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function escOptions() {
  const variables = { STRIPE_KEY: escValue("given", true), OTHER_KEY: escValue("not asked for") };
  const server = await startEscServer({ environmentVariables: escValue(variables) });
  servers.push(server);
  process.env.STACKLING_TEST_ESC = ESC_TOKEN;
  const { options } = (await registry.secrets.esc()).example();
  return { ...options, accessToken: { env: "STACKLING_TEST_ESC" }, apiUrl: server.url };
}

for (const run of Object.values(suites)) run();

describe("a generated secret", () => {
  const context = {
    settings: { dataDir: "/nowhere" },
    stack: "shop-pr-1",
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
  };

  it("is another value each time it is made, and stays when nothing changed", async () => {
    const one = await secretResource.create(context, { generation: 0 }, "key");
    const two = await secretResource.create(context, { generation: 0 }, "key");
    assert.match(one.state.value, /^[A-Za-z0-9_-]{43}$/);
    assert.notEqual(one.state.value, two.state.value);
    assert.deepEqual(await secretResource.read(context, one.id, one.state), one.state);
    assert.equal(secretResource.diff(one.state, { generation: 0 }).changes, false);
  });

  it("is replaced when its generation was raised", async () => {
    const { state } = await secretResource.create(context, { generation: 0 }, "key");
    assert.deepEqual(secretResource.diff(state, { generation: 1 }).replaces, ["generation"]);
  });
});
