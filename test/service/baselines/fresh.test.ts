import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ConflictError, StacklingError } from "../../../components/errors.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { createBaseline } from "../../../service/baselines/baselines.ts";
import { createFreshCopies, type PrepareDatabase } from "../../../service/baselines/fresh.ts";
import { startBaselines } from "../../../service/baselines/keeper.ts";
import type { BaselineConfig } from "../../../service/config/baselines.ts";
import { spec } from "../../infra/world/world.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { startTestPostgres, testDatabase } from "../../support/postgres.ts";
import { config, reconcileBench, SHA } from "../../support/reconcile-world.ts";
import { requires } from "../../support/requires.ts";

const quiet = { info: () => undefined, warn: () => undefined };
const of = (generation: number, stack = "shop-pr-1") => {
  const whole = spec(stack, []);
  return { ...whole, database: { baseline: "staging" }, generations: { ...whole.generations, database: generation } };
};

describe("a baseline that is built anew for each deploy", requires("postgres"), () => {
  let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;
  let keeper: ReturnType<typeof startBaselines>;
  let prepare: PrepareDatabase;
  /** What was said of the builds. */
  let said: string[];

  before(async () => {
    postgres = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-fresh-"));
    await writeFile(join(folder, "server.url"), postgres.url);
  });
  after(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    begin("dump.sql");
    said = [];
  });
  afterEach(() => keeper.close());

  function begin(file: string, isFresh = true): void {
    const staging: BaselineConfig = {
      name: "staging",
      source: { kind: "dump", file: join(folder, file) },
      columns: { people: { email: { fake: "email" } } },
      keepOld: 0,
      server: { file: join(folder, "server.url") },
      ...(isFresh ? { refresh: "deploy" } : {}),
    };
    const config = { baselines: [staging], targets: [] };
    keeper = startBaselines({ config, dataDir: folder, now: () => new Date().toISOString(), logger: quiet });
    prepare = createFreshCopies({ config, baselines: keeper });
  }

  /** The source as it is now. */
  const dump = (email: string) =>
    writeFile(join(folder, "dump.sql"), `CREATE TABLE people (email text);\nINSERT INTO people VALUES ('${email}');\n`);

  const asked = (wanted: ReturnType<typeof of>, live?: ReturnType<typeof of>) =>
    prepare(wanted, { live, say: (message) => said.push(message), signal: new AbortController().signal });

  /** Object id of the database that copies are made of now. */
  const newest = () =>
    withClient(postgres.url, async (client) => {
      const { rows } = await client.query("SELECT oid FROM pg_database WHERE datname = 'baseline.staging'");
      return rows[0]?.oid as number | undefined;
    });

  it("is built before the first database and before each one that is made anew, and never twice for one", async () => {
    await dump("ada@acme.dev");
    await asked(of(0));
    const first = await newest();
    assert.ok(first !== undefined);
    assert.match(said[0] ?? "", /^Building the baseline "staging": /);
    await asked(of(0));
    await asked(of(0), of(0));
    assert.equal(await newest(), first);
    await asked(of(1), of(0));
    assert.notEqual(await newest(), first);
  });

  it("is built for the first database of each life", async () => {
    await dump("ada@acme.dev");
    const born = (created: string) => ({ ...of(0), tags: { created } });
    await asked(born("2026-03-01T12:00:00.000Z"));
    const first = await newest();
    await asked(born("2026-03-02T12:00:00.000Z"));
    assert.notEqual(await newest(), first);
  });

  it("is masked by its rules each time, and a column nobody thought of stops it, naming the column", async () => {
    await dump("ada@acme.dev");
    await asked(of(0));
    const before = await newest();
    await writeFile(join(folder, "dump.sql"), "CREATE TABLE people (email text, phone text);\n");
    await assert.rejects(asked(of(1), of(0)), (error) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "DatabaseFailed");
      assert.match(error.userMessage, /^making a fresh copy of baseline "staging": .*1 column is not classified/);
      assert.equal(error.excerpt[0], "  people.phone (text)");
      return true;
    });
    assert.equal(await newest(), before, "the one before stays");
  });

  it("is shared by those who ask at the same time", async () => {
    await dump("ada@acme.dev");
    await Promise.all([asked(of(0)), asked(of(0, "shop-pr-2"))]);
    const steps = said.filter((message, index) => said.indexOf(message) === index);
    assert.equal(said.length, steps.length * 2, said.join("\n"));
  });

  it("is waited for no longer than somebody waits", async () => {
    await dump("ada@acme.dev");
    const aborted = prepare(of(0), { live: undefined, say: () => {}, signal: AbortSignal.abort() });
    await assert.rejects(aborted, StacklingError);
  });

  it("is asked for again while another replica builds it", async () => {
    const free = Promise.withResolvers<void>();
    const busy = Promise.withResolvers<void>();
    const other = createBaseline({
      adminUrl: postgres.url,
      name: "staging",
      now: new Date().toISOString(),
      fill: () => {
        busy.resolve();
        return free.promise;
      },
    });
    await busy.promise;
    await assert.rejects(asked(of(0)), (error) => error instanceof ConflictError && error.reason === "Queued");
    free.resolve();
    await other;
  });

  it("is left alone where it is not to be built for each", async () => {
    begin("no such file", false);
    await asked(of(0));
    assert.deepEqual(said, []);
  });
});

describe("an update", requires("postgres"), () => {
  it("begins once what its database is made of is there, and fails with its words where that fails", async () => {
    const database = await testDatabase();
    const bench = await reconcileBench(database.url);
    try {
      bench.forge.pulls.set(1, pullRequest(1, SHA.a));
      const done: string[] = [];
      bench.stacks.during = async () => void done.push("up");
      const userMessage = 'making a fresh copy of baseline "staging": the source is away';
      const failing = async () => {
        throw new StacklingError({ reason: "DatabaseFailed", userMessage });
      };
      await bench.reconcile("shop#1", { config, prepareDatabase: failing });
      const { status } = await bench.preview("shop#1");
      assert.deepEqual([status.reason, done], ["DatabaseFailed", []]);
      assert.ok(status.message.startsWith(userMessage), status.message);
      bench.clock.advance(3600);
      await bench.reconcile("shop#1", { config, prepareDatabase: async () => void done.push("prepared") });
      assert.deepEqual(done, ["prepared", "up"]);
    } finally {
      await bench.close();
      await database.drop();
    }
  });
});
