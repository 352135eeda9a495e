import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { StacklingError } from "../../components/errors.ts";
import type { ApplicationConfig } from "../../service/config/application-types.ts";
import type { TargetConfig } from "../../service/config/types.ts";
import { wishedForCommit } from "../../service/fresh-database.ts";
import { type Intents, NO_INTENTS } from "../../service/intents.ts";
import { newStatus } from "../../service/status.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const status = newStatus("2026-01-01T00:00:00.000Z");
const [one, two, three] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];

/** What is wished behind looks at these commits, one after the other. */
function behind(commits: readonly string[], onPush: "reset" | undefined, intents: Intents = NO_INTENTS): Intents {
  const application = { database: onPush ? { onPush } : {} } as ApplicationConfig;
  return commits.reduce(
    (wished, commit) => wishedForCommit({ intents: wished, status }, { kind: "present", application, commit }),
    intents,
  );
}

describe("onPush", () => {
  it("keeps the database over pushes where nothing is said", () => {
    assert.deepEqual(behind([one, two, three], undefined), NO_INTENTS);
  });

  it("makes it anew once for each commit, however often it is looked at", () => {
    const generations = [[one], [one, one], [one, two], [one, two, two], [one, two, three, three]].map(
      (commits) => behind(commits, "reset").generations.database,
    );
    assert.deepEqual(generations, [0, 0, 1, 1, 2]);
  });

  it("makes it anew for an older commit too, and counts on from what a person wished", () => {
    const { generations } = NO_INTENTS;
    const wished = { ...NO_INTENTS, generations: { ...generations, database: 4 } };
    assert.equal(behind([one, two, one], "reset", wished).generations.database, 6);
  });

  it("goes by what serves where the store was lost", () => {
    const application = { database: { onPush: "reset" } } as ApplicationConfig;
    const live = { source: { commit: one } } as NonNullable<typeof status.live>;
    const wish = (commit: string) =>
      wishedForCommit({ intents: NO_INTENTS, status: { ...status, live } }, { kind: "present", application, commit })
        .generations.database;
    assert.deepEqual([wish(one), wish(two)], [0, 1]);
  });
});

describe("a commit that the database stands for", () => {
  const live = { source: { commit: one } } as NonNullable<typeof status.live>;
  const look = (intents: Intents, onPush?: "reset") => {
    const application = { database: onPush ? { onPush } : {} } as ApplicationConfig;
    return wishedForCommit({ intents, status: { ...status, live } }, { kind: "present", application, commit: one });
  };

  it("is on record from the first look, so that a rollback that keeps the database can say another", () => {
    assert.equal(look(NO_INTENTS, "reset").databaseFor, one);
  });

  it("is forgotten where pushes keep it, so that a rollback does not empty it", () => {
    assert.equal(look({ ...NO_INTENTS, databaseFor: two }).databaseFor, undefined);
  });
});

describe("a database made anew", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
  });
  afterEach(() => bench.close());

  const choice = { driver: "local", options: {} };
  const reconcile = (change: Partial<TargetConfig> = {}) => {
    const targets = config.targets.map((target) => ({ ...target, database: choice, ...change }));
    return bench.reconcile("shop#1", { config: { ...config, targets } });
  };

  it("comes with the first update of a push that asks for it and with no other, also where that one failed", async () => {
    bench.forge.files.set("main:preview.yaml", "services: {web: x}\ndatabase: {onPush: reset}\n");
    await reconcile();
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    bench.stacks.during = async () => {
      throw new StacklingError({ reason: "DatabaseFailed", userMessage: "the server is away" });
    };
    await reconcile();
    bench.stacks.during = async () => undefined;
    bench.clock.advance(3600);
    await reconcile();
    await reconcile();
    const asked = bench.stacks.ups.map(({ spec }) => [spec.source.commit, spec.generations.database]);
    assert.deepEqual(asked, [
      [SHA.a, 0],
      [SHA.b, 1],
      [SHA.b, 1],
    ]);
  });

  it("is refused to whoever asks for it where it is not the preview's own", async () => {
    bench.forge.files.set("main:preview.yaml", "services: {web: x}\ndatabase: true\n");
    await reconcile({ sharesDatabase: true });
    await assert.rejects(benchActions(bench).resetDatabase("shop#1", "ada"), { reason: "DatabaseShared" });
    assert.equal((await bench.preview("shop#1")).intents.generations.database, 0);
  });
});
