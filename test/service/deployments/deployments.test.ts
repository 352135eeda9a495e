/** Deployments and what they say, on a real Postgres. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import type { DeployLine } from "../../../service/deployments/deployment.ts";
import { createDeployments, type Deployments } from "../../../service/deployments/deployments.ts";
import { HEAD_CHARACTERS, TAIL_CHARACTERS } from "../../../service/deployments/recorder.ts";
import { pruneDeployments } from "../../../service/deployments/store.ts";
import { openDatabase } from "../../../service/store/database.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { eventually } from "../../support/eventually.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aDraft } from "../../support/previews.ts";
import { silent } from "../../support/reconcile-world.ts";

const T0 = "2026-03-01T12:00:00.000Z";
const KEY = "shop#1";
const up = { key: KEY, kind: "up", commit: "a".repeat(40), cause: "First version" } as const;
let database: Awaited<ReturnType<typeof testDatabase>>;
const opened: PostgresStore[] = [];

before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await query("truncate deployment cascade");
});

const query = <T>(text: string): Promise<T[]> =>
  withClient(database.url, async (client) => (await client.query(text)).rows as T[]);

async function replica(holder: string): Promise<{ deployments: Deployments; store: PostgresStore }> {
  const store = await openStore({ url: database.url, holder, logger: silent, now: () => T0 });
  opened.push(store);
  const deployments = createDeployments({ store, logger: silent, now: () => new Date().toISOString() });
  return { deployments, store };
}

async function read(deployments: Deployments, id: string, follow = false): Promise<DeployLine[]> {
  const lines: DeployLine[] = [];
  const { signal } = new AbortController();
  for await (const line of deployments.lines(KEY, id, { after: 0, follow, signal })) lines.push(line);
  return lines;
}

describe("the log of a deployment", () => {
  it("is followed live on another replica, to its end", async () => {
    const [one, two] = [(await replica("one")).deployments, (await replica("two")).deployments];
    const log = one.begin(up);
    const [running] = await eventually(async () => {
      const all = await two.deployments(KEY);
      return all.length > 0 && all;
    });
    assert.equal(running?.outcome, "running");
    const seen: string[] = [];
    const { signal } = new AbortController();
    const following = (async () => {
      const lines = two.lines(KEY, running?.id ?? "", { after: 0, follow: true, signal });
      for await (const { text } of lines) seen.push(text);
    })();
    await eventually(() => seen.includes("First version"));
    log.stage("source", "Fetching commit");
    log.output({ source: "build", lines: ["compiling"] });
    await eventually(() => seen.includes("compiling"));
    log.end({ outcome: "done", message: "Commit aaaaaaa serves" });
    await following;
    assert.equal(seen.at(-1), "Commit aaaaaaa serves");
    await one.settled();
    const [ended] = await two.deployments(KEY);
    assert.equal(ended?.outcome, "done");
    assert.ok(ended?.endedAt);
    assert.deepEqual(
      ended?.steps.map(({ stage, endedAt }) => [stage, endedAt !== undefined]),
      [
        ["source", true],
        ["build", true],
      ],
    );
  });

  it("says where it failed, and is there after a restart", async () => {
    const { deployments } = await replica("one");
    const log = deployments.begin({ ...up, queuedAt: T0 });
    log.stage("source", "Fetching commit");
    log.output({ source: "migrate", lines: ["ERROR: no such column"] });
    log.end({ outcome: "failed", reason: "MigrationFailed", message: "migrating failed" });
    await deployments.settled();
    for (const store of opened.splice(0)) await store.close();
    const again = (await replica("one")).deployments;
    const [found] = await again.deployments(KEY);
    assert.deepEqual(
      [found?.outcome, found?.reason, found?.message],
      ["failed", "MigrationFailed", "migrating failed"],
    );
    assert.deepEqual(
      found?.steps.map(({ stage, failed }) => [stage, failed ?? false]),
      [
        ["queue", false],
        ["source", false],
        ["migrate", true],
      ],
    );
    const lines = await read(again, found?.id ?? "", true);
    assert.deepEqual(
      lines.filter(({ kind }) => kind !== "step").map(({ kind, source, text }) => [kind, source, text]),
      [
        ["output", "migrate", "ERROR: no such column"],
        ["problem", undefined, "migrating failed"],
      ],
    );
  });

  it("shows no secret, in output, engine's words or what went wrong", async () => {
    const { deployments } = await replica("one");
    const log = deployments.begin(up);
    log.hide(["s3cret-value", "-----BEGIN KEY-----\nabcdefghijk\n-----END KEY-----"]);
    log.output({ source: "build", lines: ["token s3cret-value", "abcdefghijk"] });
    log.event({ at: T0, kind: "diagnostic", severity: "error", message: "bad\nkey s3cret-value\u202E" });
    log.end({ outcome: "failed", message: "calling with s3cret-value" });
    await deployments.settled();
    const rows = await query<{ all: string }>(
      "select coalesce(message, '') || (select string_agg(o.lines::text, '') from deployment_output o) as all from deployment",
    );
    assert.doesNotMatch(rows[0]?.all ?? "", /s3cret|abcdefghijk|\u202E/);
    assert.match(rows[0]?.all ?? "", /redacted/);
  });

  it("keeps the beginning and the end of one that says too much, and leaves a gap", async () => {
    const { deployments } = await replica("one");
    const log = deployments.begin(up);
    const line = "x".repeat(1_000);
    for (let round = 0; round < 30; round++) {
      log.output({ source: "build", lines: Array.from({ length: 100 }, () => line) });
      // As fast as the store takes it: what nobody could write down is left out too.
      await eventually(async () => ((await deployments.deployments(KEY))[0]?.lines ?? 0) > round * 100);
    }
    log.end({ outcome: "done", message: "the end" });
    await deployments.settled();
    const [found] = await deployments.deployments(KEY);
    const lines = await read(deployments, found?.id ?? "");
    const characters = lines.reduce((sum, { text }) => sum + text.length, 0);
    assert.ok(characters <= HEAD_CHARACTERS + TAIL_CHARACTERS + 200_000, `${characters}`);
    assert.equal(lines[0]?.n, 1);
    assert.equal(lines.at(-1)?.text, "the end");
    const gaps = lines.filter(({ n }, index) => index > 0 && n !== (lines[index - 1]?.n ?? 0) + 1);
    assert.equal(gaps.length, 1);
  });

  it("is kept of the last ten of a preview, and one that was killed does not run for ever", async () => {
    const { deployments } = await replica("one");
    for (let count = 0; count < 12; count++) {
      const log = deployments.begin({ ...up, cause: `number ${count}` });
      // The first few are killed: they never end.
      if (count > 4) log.end({ outcome: "done" });
      await eventually(async () => (await deployments.deployments(KEY))[0]?.cause === `number ${count}`);
    }
    const all = await eventually(async () => {
      const found = await deployments.deployments(KEY);
      return found.every(({ outcome }) => outcome !== "running") && found;
    });
    assert.equal(all.length, 10);
    assert.deepEqual(all.map(({ outcome }) => outcome).toSorted(), [
      ...Array.from({ length: 7 }, () => "done"),
      ...Array.from({ length: 3 }, () => "interrupted"),
    ]);
  });

  it("goes when its preview has been gone for long", async () => {
    const { deployments, store } = await replica("one");
    deployments.begin(up).end({ outcome: "done" });
    await deployments.settled();
    await store.create(aDraft(1, T0));
    const { db } = openDatabase({ url: database.url, connections: 1, logger: silent });
    const [preview] = await store.list();
    await query(`update deployment set key = '${preview?.key}'`);
    const left = async () => (await query("select 1 from deployment")).length;
    await query("update preview set gone_at = now() - interval '13 days'");
    await pruneDeployments(db);
    assert.equal(await left(), 1);
    await query("update preview set gone_at = now() - interval '15 days'");
    await pruneDeployments(db);
    assert.equal(await left(), 0);
    await db.destroy();
  });
});
