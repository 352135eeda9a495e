/** Where the previews of the local target lie: in one data folder, whoever comes with another. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { testDatabase } from "../support/postgres.ts";
import { silent } from "../support/reconcile-world.ts";

let database: Awaited<ReturnType<typeof testDatabase>>;
const opened: PostgresStore[] = [];
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

async function open(holder: string): Promise<PostgresStore> {
  const store = await openStore({ url: database.url, holder, logger: silent, now: () => new Date().toISOString() });
  opened.push(store);
  return store;
}

const query = (text: string) => withClient(database.url, async (client) => (await client.query(text)).rows);

describe("the data folder of the local target", () => {
  const one = { id: "m:1:1", host: "here", path: "/data" };
  const two = { id: "m:1:11", host: "there", path: "/other data" };
  const isSecond = (error: unknown) =>
    error instanceof TerminalError &&
    error.reason === "SecondDataFolder" &&
    error.userMessage.startsWith(
      'starting with data folder "/other data" on "there": a Stackling with data folder "/data" on "here" is',
    );

  it("is one over a store while an instance works in it, whoever starts first", async () => {
    const [first, second] = await Promise.all([open("one"), open("two")]);
    const release = await first.claimFolder(one);
    await assert.rejects(second.claimFolder(two), isSecond);
    await release();
    const later = await second.claimFolder(two);
    await later();
    const both = await Promise.allSettled([first.claimFolder(one), second.claimFolder(two)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    for (const claim of both) if (claim.status === "fulfilled") await claim.value();
    assert.deepEqual(await query("select stack from lease where stack like '@folder%'"), []);
  });

  it("may be shared by several, and stays taken until the last one ends", async () => {
    const [first, second, third] = await Promise.all([open("one"), open("two"), open("three")]);
    const releases = [await first.claimFolder(one), await second.claimFolder({ ...one, host: "also-here" })];
    await releases[1]?.();
    await assert.rejects(third.claimFolder(two), isSecond);
    await releases[0]?.();
    await (await third.claimFolder(two))();
  });

  it("is another one at once when the same instance moved, and after its claim when another was killed", async () => {
    const killed = await open("one");
    await killed.claimFolder(one);
    await killed.close();
    const other = await open("two");
    await assert.rejects(other.claimFolder(two), isSecond);
    const moved = await open("one");
    await moved.releaseOwnLeases();
    await (await moved.claimFolder(two))();
    await moved.claimFolder(one);
    await moved.close();
    await query("update lease set expires_at = clock_timestamp() where stack like '@folder%'");
    await (await other.claimFolder(two))();
  });

  it("stays taken for as long as the instance lives", async () => {
    const [first, second] = await Promise.all([open("one"), open("two")]);
    const release = await first.claimFolder(one);
    await query("update lease set expires_at = clock_timestamp() where stack like '@folder%'");
    await eventually(
      async () =>
        (await query("select from lease where stack like '@folder%' and expires_at > clock_timestamp()")).length,
    );
    await assert.rejects(second.claimFolder(two), isSecond);
    await release();
  });
});
