import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { createTokens, isWellFormed, type Tokens } from "../../service/tokens/token.ts";
import { testDatabase } from "../support/postgres.ts";
import { silent } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const now = () => new Date().toISOString();

describe("tokens in the store", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  let tokens: Tokens;
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "here", logger: silent, now });
    tokens = createTokens({
      store,
      now,
      repositories: async () => ["shop"],
      onError: (error) => assert.fail(String(error)),
    });
  });
  after(async () => {
    await tokens?.close();
    await store?.close();
    await database?.drop();
  });

  it("hold until they are revoked or over, say when they were used, and have names of their own", async () => {
    const { token } = await tokens.create({ name: "ci", role: "operator", repositories: ["shop"] }, "ada");
    assert.deepEqual(await tokens.callerOf(token), { name: "token ci", role: "operator", repositories: ["shop"] });
    await tokens.flush();
    const [row] = (await tokens.list({ limit: 10 })).tokens;
    assert.ok(row?.lastUsedAt);
    assert.doesNotMatch(JSON.stringify(row), new RegExp(token));
    await assert.rejects(tokens.create({ name: "ci", role: "viewer" }, "ada"), { reason: "NameTaken" });
    await store.addToken({
      name: "old",
      role: "viewer",
      digest: "0",
      createdAt: now(),
      createdBy: "ada",
      expiresAt: "2020-01-01T00:00:00.000Z",
    });
    assert.equal(await store.findToken("0"), undefined);
    await tokens.revoke("ci");
    assert.equal(await tokens.callerOf(token), undefined);
    await assert.rejects(tokens.revoke("ci"), { reason: "NoSuchToken" });
    assert.ok(isWellFormed(token) && !isWellFormed(token.slice(0, -1)) && !isWellFormed(`${token.slice(0, -1)}x`));
  });
});
