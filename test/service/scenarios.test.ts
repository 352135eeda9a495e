import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import type { AllActions } from "../../service/actions.ts";
import { previewView } from "../../service/api/preview-view.ts";
import { renderComment } from "../../service/comment/comment.ts";
import type { TargetConfig } from "../../service/config/types.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const KEY = "shop#1";
const yaml = (scenarios: string, usual = "demo") =>
  `services: {web: x}\ndatabase: {seed: ./seed, scenarios: ${scenarios}, scenario: ${usual}}\n`;

describe("the scenario that a preview is seeded with", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let actions: AllActions;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    actions = benchActions(bench);
    bench.forge.files.set("main:preview.yaml", yaml("{demo: true, empty: false, team: ./team}"));
    label();
  });
  afterEach(() => bench.close());

  function label(...labels: readonly string[]): void {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { labels }));
  }

  const look = (change: Partial<TargetConfig> = {}) => {
    const choice = { driver: "local", options: {} };
    const targets = config.targets.map((target) => ({ ...target, database: choice, ...change }));
    return bench.reconcile(KEY, { config: { ...config, targets } });
  };

  /** What the updates so far were of. */
  const asked = () =>
    bench.stacks.ups.map(({ spec }) => [
      spec.database?.scenario,
      spec.database?.seed?.command,
      spec.generations.database,
    ]);

  it("is the file's own where nobody says otherwise", async () => {
    await look();
    await look();
    assert.deepEqual(asked(), [["demo", "./seed", 0]]);
    assert.equal(previewView(await bench.preview(KEY)).scenario, "demo");
    assert.match(renderComment(await bench.preview(KEY)), /\| Seeded with \| `demo` \|/);
  });

  it("is a label's from the beginning, or with a new database once the label is set or taken off", async () => {
    label("seed:team");
    await look();
    label("seed:empty");
    await look();
    label();
    await look();
    await look();
    assert.deepEqual(asked(), [
      ["team", "./team", 0],
      ["empty", undefined, 1],
      ["demo", "./seed", 2],
    ]);
  });

  it("is a person's before any label's, with a new database also for the one that is there", async () => {
    label("seed:team");
    await look();
    await actions.seed(KEY, "empty", "ada");
    await look();
    label("seed:demo");
    await look();
    await actions.seed(KEY, "empty", "ada");
    await look();
    assert.deepEqual(asked(), [
      ["team", "./team", 0],
      ["empty", undefined, 1],
      ["empty", undefined, 2],
    ]);
  });

  it("stays over pushes, and when the file names another default: nobody's data go for a merge", async () => {
    await look();
    bench.forge.files.set("main:preview.yaml", yaml("{demo: true, empty: false, team: ./team}", "team"));
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await look();
    assert.deepEqual(asked(), [
      ["demo", "./seed", 0],
      ["demo", "./seed", 0],
    ]);
  });

  it("is the file's newest default in the next life, whose database is a new one anyway", async () => {
    await look();
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { state: "closed" }));
    await look();
    bench.forge.files.set("main:preview.yaml", yaml("{demo: true, empty: false, team: ./team}", "team"));
    label();
    await look();
    assert.deepEqual(asked().at(-1), ["team", "./team", 0]);
  });

  it("is another one, on a new database, when the file has it no more", async () => {
    await look();
    bench.forge.files.set("main:preview.yaml", yaml("{empty: false, team: true}", "team"));
    await look();
    assert.deepEqual(asked().at(-1), ["team", "./seed", 1]);
  });

  it("leaves a database alone that was seeded before there was a choice, until somebody chooses", async () => {
    bench.forge.files.set("main:preview.yaml", "services: {web: x}\ndatabase: {seed: ./seed}\n");
    await look();
    bench.forge.files.set("main:preview.yaml", yaml("{demo: true, team: ./team}"));
    await look();
    label("seed:team");
    await look();
    assert.deepEqual(asked(), [
      [undefined, "./seed", 0],
      ["demo", "./seed", 0],
      ["team", "./team", 1],
    ]);
  });

  it("is known where the store was lost, with whose word it was where a person's", async () => {
    const loseStore = () =>
      withClient(database.url, (client) => client.query("truncate preview, seat, receipt, history, lease"));
    label("seed:team");
    await look();
    await loseStore();
    await look();
    assert.equal(bench.stacks.ups.length, 1, "being told it again is no update");
    await actions.seed(KEY, "empty", "ada");
    await look();
    await loseStore();
    await look();
    assert.deepEqual(asked(), [
      ["team", "./team", 0],
      ["empty", undefined, 1],
    ]);
    assert.equal((await bench.preview(KEY)).intents.seeds?.said, "empty");
  });

  it("is refused with those that there are where it is none", async () => {
    await look();
    await assert.rejects(actions.seed(KEY, "teem", "ada"), {
      reason: "NoSuchScenario",
      message:
        'seeding "shop#1": there is no scenario "teem"; there are "demo", "empty", "team"; the nearest is "team"',
    });
    label("seed:teem", "seed:team", "seed:empty");
    await look();
    const comment = renderComment(await bench.preview(KEY));
    assert.match(comment, /The label `seed:teem` does nothing: there is no scenario `teem`; there are `demo`, /);
    assert.match(comment, /The label `seed:empty` does nothing: `seed:team` is there too\./);
    assert.equal(asked().at(-1)?.[0], "team");
  });

  it("is nobody's to choose on a database of many", async () => {
    label("seed:team");
    await look({ sharesDatabase: true });
    label("seed:empty");
    await look({ sharesDatabase: true });
    assert.deepEqual(asked(), [["demo", "./seed", 0]]);
    label("seed:team");
    await look({ sharesDatabase: true });
    await assert.rejects(actions.seed(KEY, "team", "ada"), { message: /its database is not its own/ });
    assert.match(
      renderComment(await bench.preview(KEY)),
      /`seed:team` does nothing: the database is not the preview's/,
    );
    assert.equal(previewView(await bench.preview(KEY)).scenarios, undefined);
  });
});
