/** Stages with smoke tests through the whole of reconcile: forge and engine are replaced at their ports, the application answers for real. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { RepositoryConfig } from "../../../service/config/repository-types.ts";
import type { StageConfig } from "../../../service/config/stages.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA, shop } from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

const STAGING = "shop:staging";
const PRODUCTION = "shop:production";
const YAML = "services: {web: x}\ndatabase: {migrate: m}\nsmoke: [{path: /health, within: 1s}]\n";
const withDatabase = {
  ...config,
  targets: config.targets.map((target) => ({ ...target, database: { driver: "local", options: {} } })),
};

const rules = {
  approvals: { required: 0, own: false },
  waitSeconds: 0,
  target: "local",
  secrets: {},
  seed: false,
} satisfies Partial<StageConfig>;
const repository: RepositoryConfig = {
  ...shop,
  stages: {
    staging: { ...rules, name: "staging", branch: "main", onFailure: "keep" },
    production: { ...rules, name: "production", from: "staging", onFailure: "rollback" },
  },
};

describe("a stage whose versions must pass smoke tests", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  /** Status that `/health` of production answers, by commit. */
  const answers = new Map<string, number>();
  const server = createServer(({ headers: { host = "" } }, response) => {
    const commit = bench.stacks.ups.at(-1)?.spec.source.commit ?? "";
    response.writeHead(host.startsWith("production-") ? (answers.get(commit) ?? 200) : 200).end();
  });
  before(async () => {
    database = await testDatabase();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(async () => {
    server.close();
    await database.drop();
  });
  beforeEach(async () => {
    answers.clear();
    bench = await reconcileBench(database.url);
    for (const sha of Object.values(SHA)) bench.forge.files.set(`${sha}:preview.yaml`, YAML);
  });
  afterEach(() => bench.close());

  const look = (key: string) =>
    bench.reconcile(key, {
      config: withDatabase,
      findRepository: async () => repository,
      world: {
        ...bench.deps.world,
        address: async () => ({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` }),
      },
    });
  const actions = () => benchActions(bench, { repositories: async () => [repository] });
  /** Pushed to the branch, and promoted from there. */
  async function promote(commit: string): Promise<void> {
    bench.clock.advance(600);
    bench.forge.refs.set("main", commit);
    await look(STAGING);
    await actions().promote(PRODUCTION, {}, "@ana");
    await look(PRODUCTION);
  }
  const built = () =>
    bench.stacks.ups
      .filter(({ spec }) => spec.key === PRODUCTION)
      .map(({ spec }) => `${spec.source.commit[0]}${spec.generations.database}`);
  const status = async () => (await bench.preview(PRODUCTION)).status;
  const served = async () => (await status()).served?.map(({ sha }) => sha[0]);

  it("goes back by itself from a version that fails them, with its database as it is, until the next promotion", async () => {
    await promote(SHA.a);
    answers.set(SHA.b, 500);
    await promote(SHA.b);
    assert.deepEqual(built(), ["a0", "b0", "a0"]);
    const { condition, reason, message, live } = await status();
    assert.deepEqual([condition, reason, live?.source.commit], ["Stalled", "SmokeTestFailed", SHA.a]);
    assert.match(message, /Commit `aaaaaaa` serves in place of `bbbbbbb`\. The next promotion tries again\.$/);
    const { rolledBack } = (await bench.preview(PRODUCTION)).intents;
    assert.deepEqual([rolledBack?.sha, rolledBack?.by, rolledBack?.database], [SHA.a, "gates", "kept"]);
    const back = (await bench.store.history(PRODUCTION, 50)).filter(({ reason }) => reason === "RolledBack");
    assert.match(back[0]?.message ?? "", /^Smoke test "GET \/health": it answered 500/);
    await promote(SHA.c);
    assert.deepEqual([(await status()).reason, await served()], ["Healthy", ["a", "c"]]);
  });

  it("goes back no further than to the version that served, whatever fails them all", async () => {
    for (const sha of [SHA.a, SHA.b]) await promote(sha);
    for (const sha of Object.values(SHA)) answers.set(sha, 500);
    await promote(SHA.c);
    await look(PRODUCTION);
    assert.deepEqual(built(), ["a0", "b0", "c0", "b0"]);
    assert.deepEqual(await served(), ["a", "b"]);
    assert.match((await status()).message, /Commit `bbbbbbb` serves in place of `ccccccc`, and fails now, too;/);
  });
});
