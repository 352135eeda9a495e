import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { backUp, restore } from "../../../service/backup/backup.ts";
import { NO_INTENTS } from "../../../service/intents.ts";
import { newStatus } from "../../../service/status.ts";
import { openStore } from "../../../service/store/postgres.ts";
import { testDatabase } from "../../support/postgres.ts";
import { silent } from "../../support/reconcile-world.ts";

const NOW = "2026-03-01T12:00:00.000Z";
const openAt = (url: string) => openStore({ url, holder: "one", logger: silent, now: () => NOW });

describe("backup and restore", () => {
  let from: Awaited<ReturnType<typeof testDatabase>>;
  let to: Awaited<ReturnType<typeof testDatabase>>;
  let folder: string;
  before(async () => {
    from = await testDatabase();
    to = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), "stackling-backup-"));
  });
  after(async () => {
    await from.drop();
    await to.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it("bring back everything, due at once, and only into an empty store and only whole", async () => {
    const source = await openAt(from.url);
    await source.create({
      key: "shop#1",
      stack: "shop-pr-1",
      repository: "shop",
      number: 1,
      gitBranch: "näme'\"\\",
      createdAt: NOW,
      lastPushAt: NOW,
      lastVisitAt: NOW,
      intents: { ...NO_INTENTS, keep: true },
      status: newStatus(NOW),
      handles: { comment: "7" },
    });
    await source.setStatus("shop#1", { reason: "Provisioning", message: "Building." });
    await source.count("things", 9_007_199_254_740);
    const file = join(folder, "backup.jsonl");
    const { rows } = await backUp({ url: from.url, file, now: NOW });
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const wanted = await source.find("shop#1");
    const history = await source.history("shop#1", 10);
    await source.close();

    const target = await openAt(to.url);
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const cut = join(folder, "cut.jsonl");
    await writeFile(cut, `${lines.slice(0, -1).join("\n")}\n`);
    await assert.rejects(restore({ url: to.url, file: cut }), /it is cut off/);
    const newer = join(folder, "newer.jsonl");
    await writeFile(newer, lines.join("\n").replace('"0001-ground"', '"9999-later"'));
    await assert.rejects(restore({ url: to.url, file: newer }), /its tables are as of/);
    assert.deepEqual(await target.list(), [], "and leaves the store as it was");

    assert.equal((await restore({ url: to.url, file })).rows, rows);
    const { dueAt, ...found } = (await target.find("shop#1")) ?? {};
    assert.ok(dueAt);
    assert.deepEqual(found, wanted);
    assert.deepEqual(await target.history("shop#1", 10), history);
    assert.deepEqual(await target.counters(), { things: 9_007_199_254_740 });
    await target.setStatus("shop#1", { reason: "Updating" });
    assert.equal((await target.history("shop#1", 10)).length, history.length + 1, "new rows get ids of their own");
    await assert.rejects(restore({ url: to.url, file }), /is not empty/);
    await target.close();
  });
});
