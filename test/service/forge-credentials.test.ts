import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sealer } from "../../service/store/forge-credentials.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { testDatabase } from "../support/postgres.ts";
import { silent } from "../support/reconcile-world.ts";

describe("credentials of an App that was made from the pages", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  before(async () => {
    database = await testDatabase();
    store = await openStore({
      url: database.url,
      holder: "one",
      logger: silent,
      now: () => "2026-03-01T12:00:00.000Z",
    });
  });
  after(async () => {
    await store.close();
    await database.drop();
  });

  it("are opened by whoever knows the token, and by nobody else", () => {
    const sealed = sealer("the token").seal("a private key");
    assert.ok(!Buffer.from(sealed, "base64").includes("private"));
    assert.equal(sealer("the token").open(sealed), "a private key");
    assert.equal(sealer("another token").open(sealed), undefined);
    const bytes = Buffer.from(sealed, "base64");
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    assert.equal(sealer("the token").open(bytes.toString("base64")), undefined);
    assert.equal(sealer("the token").open("short"), undefined);
  });

  it("take the place of those before, for each forge", async () => {
    assert.equal(await store.forgeCredential("github"), undefined);
    await store.keepForgeCredential("github", "one");
    const first = await store.forgeCredential("github");
    await store.keepForgeCredential("github", "two");
    const second = await store.forgeCredential("github");
    assert.deepEqual([first?.sealed, second?.sealed], ["one", "two"]);
    assert.ok((second?.at ?? "") > (first?.at ?? ""));
    assert.equal(await store.forgeCredential("hub"), undefined);
  });

  it("change one after the other, each on what the one before left", async () => {
    const other = await openStore({
      url: database.url,
      holder: "two",
      logger: silent,
      now: () => "2026-03-01T12:00:00.000Z",
    });
    const add = (replica: PostgresStore, letter: string) =>
      replica.changeForgeCredential("gitlab", async (before = "") => `${before}${letter}`);
    await Promise.all([add(store, "a"), add(other, "b"), add(store, "c"), add(other, "d")]);
    await assert.rejects(
      store.changeForgeCredential("gitlab", () => Promise.reject(new Error("away"))),
      /away/,
    );
    assert.deepEqual([...((await store.forgeCredential("gitlab"))?.sealed ?? "")].sort(), ["a", "b", "c", "d"]);
    await other.close();
  });

  it("let a delivery be asked for again once, by one replica", async () => {
    const claims = await Promise.all([
      store.claimRedeliveries("github", ["a", "b"]),
      store.claimRedeliveries("github", ["b", "a"]),
    ]);
    assert.deepEqual(claims.flat().sort(), ["a", "b"]);
    assert.deepEqual(await store.claimRedeliveries("github", ["a", "b", "c"]), ["c"]);
    assert.deepEqual(await store.claimRedeliveries("hub", ["a"]), ["a"]);
    await store.unclaimRedeliveries("github", ["a"]);
    assert.deepEqual(await store.claimRedeliveries("github", ["a", "b"]), ["a"]);
  });
});
