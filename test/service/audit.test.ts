import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { createAudit, noted } from "../../service/audit.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { memoryAudit } from "../support/memory-audit.ts";
import { testDatabase } from "../support/postgres.ts";
import { silent } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const NOW = new Date().toISOString();
const NOTE = { actor: "@ada", action: "redeploy", key: "shop#42", via: "page" } as const;

describe("the audit", requires("postgres"), () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "here", logger: silent, now: () => NOW });
  });
  after(async () => {
    await store?.close();
    await database?.drop();
  });
  const audit = () => createAudit({ store, now: () => NOW, logger: silent });

  it("tells newest first, page by page, of one preview, person or action", async () => {
    for (const [index, actor] of ["@ada", "@grace", "@ada"].entries()) {
      await audit().record({ ...NOTE, actor, detail: `the ${index}th`, address: "203.0.113.9", outcome: "done" });
    }
    await audit().record({ ...NOTE, key: "shop#7", action: "down", outcome: "refused" });
    const first = await audit().list({ limit: 2 });
    assert.deepEqual(
      first.entries.map(({ action, key }) => `${action} ${key}`),
      ["down shop#7", "redeploy shop#42"],
    );
    assert.deepEqual(first.entries[1], {
      at: NOW,
      actor: "@ada",
      action: "redeploy",
      key: "shop#42",
      detail: "the 2th",
      via: "page",
      address: "203.0.113.9",
      outcome: "done",
    });
    const second = await audit().list({ limit: 2, before: first.next });
    assert.deepEqual(
      second.entries.map(({ actor }) => actor),
      ["@grace", "@ada"],
    );
    assert.equal(second.next, undefined);
    const count = async (query: object) => (await audit().list({ limit: 10, ...query })).entries.length;
    assert.deepEqual(
      [await count({ key: "shop#42" }), await count({ actor: "@ada" }), await count({ action: "down" })],
      [3, 3, 1],
    );
    assert.equal(await count({ before: "0; drop table audit" }), 4);
  });

  it("is trimmed of what is too old, and of nothing else", async () => {
    await audit().record({ ...NOTE, at: "2020-01-01T00:00:00.000Z", action: "old", outcome: "done" });
    await audit().record({ ...NOTE, action: "young", outcome: "done" });
    assert.equal(await store.trimAudit(365), 1);
    assert.equal((await audit().list({ limit: 10, action: "old" })).entries.length, 0);
    assert.equal((await audit().list({ limit: 10, action: "young" })).entries.length, 1);
  });

  it("takes what no database takes, cut to its place", async () => {
    await audit().record({ ...NOTE, action: "odd", detail: `\0${"x".repeat(10_000)}\ud800`, outcome: "done" });
    const [entry] = (await audit().list({ limit: 1, action: "odd" })).entries;
    assert.equal(entry?.detail?.length, 500);
  });
});

describe("what somebody asks for", () => {
  it("is noted as done, as refused where we say no, and as failed where it went wrong", async () => {
    const audit = memoryAudit();
    await noted(audit, NOTE, async () => {});
    const no = new TerminalError({ reason: "Gone", userMessage: "waking: it is gone" });
    const broken = new StacklingError({
      reason: "StoreUnavailable",
      userMessage: "asking the store: it does not answer",
    });
    for (const error of [no, broken, new Error("password=hunter2")]) {
      await assert.rejects(
        noted(audit, NOTE, () => Promise.reject(error)),
        error,
      );
    }
    assert.deepEqual(
      audit.entries.map(({ outcome, detail }) => [outcome, detail]),
      [
        ["done", undefined],
        ["refused", "waking: it is gone"],
        ["failed", "asking the store: it does not answer"],
        ["failed", "the log of the service says why"],
      ],
    );
  });

  it("is done all the same where the audit cannot be written, and the log has the entry", async () => {
    const logged: unknown[] = [];
    const store = { addAudit: () => Promise.reject(new Error("away")), audit: async () => ({ entries: [] }) };
    const audit = createAudit({
      store,
      now: () => NOW,
      logger: { error: (entry: unknown) => void logged.push(entry) },
    });
    assert.equal(await noted(audit, NOTE, async () => "done"), "done");
    assert.match(JSON.stringify(logged), /"actor":"@ada"/);
  });
});
