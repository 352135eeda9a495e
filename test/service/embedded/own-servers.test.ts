import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { parseOperator } from "../../../service/config/operator.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";
import { type EmbeddedInstance, startEmbedded } from "../../../service/embedded/embedded.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

const OWN_TABLES = "SELECT 1 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";

describe("an instance on the operator's own Postgres and backend", requires("engine", "postgres"), () => {
  let root: string;
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let instance: EmbeddedInstance;
  let config: OperatorConfig;

  const onServer = async (name: string, sql: string): Promise<readonly Record<string, unknown>[]> => {
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };

  before(async () => {
    [root, server] = await Promise.all([mkdtemp(join(tmpdir(), "stackling-own-")), startTestPostgres()]);
    for (const name of ["store", "state"]) await onServer("postgres", `CREATE DATABASE ${name}`);
    const port = await freePort();
    const dataDir = join(root, "data");
    process.env.OWN_STORE_URL = server.url.replace(/postgres$/, "store");
    process.env.OWN_STATE_URL = `${server.url.replace(/postgres$/, "state")}?sslmode=disable`;
    process.env.OWN_ADMIN_URL = server.url;
    process.env.OWN_PASSPHRASE = "a passphrase by reference";
    process.env.OWN_TOKEN = "a-token-for-all-replicas";
    config = await parseOperator(
      `
url: http://localhost:${port}
port: ${port}
store: {env: OWN_STORE_URL}
backend: {env: OWN_STATE_URL}
passphrase: {env: OWN_PASSPHRASE}
token: {env: OWN_TOKEN}
limits: {engineRuns: 1}
targets:
  local: {database: {driver: clone, server: {env: OWN_ADMIN_URL}}}
repositories: [{path: nowhere}]
`,
      { file: "stackling.yaml", directory: root, dataDir },
    );
    instance = await startEmbedded({
      dataDir,
      config: async () => config,
      place: { host: "127.0.0.1", port },
      version: "0",
      onError: () => undefined,
    });
  });
  after(async () => {
    await instance?.stop();
    await server?.stop();
    for (const name of ["STORE_URL", "STATE_URL", "ADMIN_URL", "PASSPHRASE", "TOKEN"])
      delete process.env[`OWN_${name}`];
    await rm(root, { recursive: true, force: true });
  });

  it("starts no server of ours and keeps its tables in the store", async () => {
    assert.ok(!(await readdir(join(root, "data"))).includes("postgres"));
    assert.ok((await onServer("store", OWN_TABLES)).length > 3);
  });

  it("asks the engine for the stacks of that backend", async () => {
    // The first resync lists them, and the engine lays out the backend for it.
    await eventually(async () => (await onServer("state", OWN_TABLES)).length > 0, { what: "the engine's table" });
  });

  it("refuses a second data folder over that store, and goes on in the first", async () => {
    const port = await freePort();
    const second = startEmbedded({
      dataDir: join(root, "second"),
      config: async () => ({ ...config, port }),
      place: { host: "127.0.0.1", port },
      version: "0",
      onError: () => undefined,
    });
    await assert.rejects(second, { name: "TerminalError", reason: "SecondDataFolder" });
    assert.equal((await fetch(`${instance.url}/healthz`)).status, 200);
  });

  it("takes token and passphrase by reference", async () => {
    assert.equal(instance.token, "a-token-for-all-replicas");
    const kept = JSON.parse(await readFile(join(root, "data", "instance.json"), "utf8"));
    assert.equal(kept.token, "a-token-for-all-replicas");
    assert.equal(await readFile(join(root, "data", "passphrase"), "utf8"), "a passphrase by reference");
    const authorization = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    const asked = await fetch(`${instance.url}/api/v1/previews`, authorization("a-token-for-all-replicas"));
    assert.equal(asked.status, 200);
    assert.equal((await fetch(`${instance.url}/api/v1/previews`, authorization("another"))).status, 401);
  });

  it("keeps the backend's password out of the config", () => {
    assert.equal(config.backend, undefined);
    assert.deepEqual(config.backendReference, { env: "OWN_STATE_URL" });
  });
});
