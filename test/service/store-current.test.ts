import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { testDatabase } from "../support/postgres.ts";
import { aDraft } from "../support/previews.ts";
import { silent } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const T0 = "2026-03-01T12:00:00.000Z";

describe("previews as they are now", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let one: PostgresStore;
  let two: PostgresStore;

  before(async () => {
    database = await testDatabase();
    const open = (holder: string) => openStore({ url: database.url, holder, logger: silent, now: () => T0 });
    [one, two] = [await open("one"), await open("two")];
  });
  after(async () => {
    for (const store of [one, two]) await store.close();
    await database.drop();
  });

  it("are those of the list, whoever wrote what of them, and those that did not change are not read again", async () => {
    for (const number of [1, 2, 3]) await one.create(aDraft(number, T0));
    const same = async () => assert.deepEqual(await one.current(), await one.list());
    await same();
    const [first] = await one.current();
    assert.equal((await one.current())[0], first);
    await two.setStatus("shop#1", { message: "Building." });
    await same();
    await two.visited({ "shop#2": "2026-03-01T13:00:00.000Z" });
    await same();
    await two.setDue("shop#3", "2026-03-01T14:00:00.000Z");
    await same();
    await two.setStatus("shop#2", { goneAt: T0 });
    await same();
    assert.equal((await one.current()).length, 2);
    await two.setStatus("shop#2", { goneAt: undefined });
    await two.create(aDraft(4, T0));
    await same();
    assert.equal((await one.current()).length, 4);
  });
});
