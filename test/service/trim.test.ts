import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { layout, prepareDataDir } from "../../components/local/layout.ts";
import { tailOfLog } from "../../components/local/log-file.ts";
import { startTrim } from "../../service/trim.ts";
import { aPreview } from "../support/previews.ts";

const THEN = new Date(Date.now() - 40 * 86_400_000);

describe("trimming at the start of the service", () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-trim-"));
    await prepareDataDir(dataDir);
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const old = async (path: string) => {
    await mkdir(path, { recursive: true });
    await utimes(path, THEN, THEN);
    return path;
  };
  const logged: string[] = [];
  const logger = {
    info: (_: unknown, text = "") => logged.push(text),
    warn: (_: unknown, text = "") => logged.push(text),
  };

  it("keeps the mirror of a living preview, and has removed the other's once it is closed", async () => {
    const { mirror } = layout(dataDir);
    const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost" } });
    const source = preview.status.live?.source.repository ?? "";
    const [lives, unused] = [await old(mirror(source)), await old(mirror("/srv/unused"))];
    const store = { list: async () => [preview, aPreview({ number: 43 })], trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logDays: 7, logger }).close();
    assert.deepEqual([existsSync(lives), existsSync(unused)], [true, false]);
  });

  it("forgets what a preview took that is gone for long, and keeps the counts of one that is just gone", async () => {
    const { usageOf } = layout(dataDir);
    const [long, just] = [usageOf("shop-pr-1"), usageOf("shop-pr-2")];
    await mkdir(dirname(long), { recursive: true });
    for (const path of [long, just]) await writeFile(path, "{}");
    await utimes(long, THEN, THEN);
    const store = { list: async () => [], trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logDays: 7, logger }).close();
    assert.deepEqual([existsSync(long), existsSync(just)], [false, true]);
  });

  it("removes lines of a sleeping preview that are older than is wished, and keeps what is newer", async () => {
    const log = layout(dataDir).preview("shop-pr-42").log("web");
    await mkdir(dirname(log), { recursive: true });
    await writeFile(log, "newest\n");
    for (const number of [1, 2]) {
      await writeFile(`${log}.${number}`, `${number}\n`);
      const then = new Date(Date.now() - number * 5 * 86_400_000);
      await utimes(`${log}.${number}`, then, then);
    }
    const store = { list: async () => [], trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logDays: 7, logger }).close();
    assert.equal(await tailOfLog(log, 1_000), "1\nnewest\n");
  });

  it("begins the service's own log anew where it is too large, and keeps the end", async () => {
    const { ownLog } = layout(dataDir);
    await writeFile(ownLog, `${"x".repeat(6 * 1024 * 1024)}\nlast\n`);
    const store = { list: async () => [], trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logDays: 7, logger }).close();
    assert.equal((await stat(ownLog)).size, 0);
    assert.equal(await tailOfLog(ownLog, 6), "\nlast\n");
  });

  it("keeps the service's own log small all day, however much is written into it", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const { ownLog } = layout(dataDir);
    const store = { list: async () => [], trimAudit: async () => 0 };
    const trim = startTrim({ dataDir, store, auditDays: 365, logDays: 7, logger });
    await writeFile(ownLog, "x".repeat(6 * 1024 * 1024));
    t.mock.timers.tick(60_000);
    await trim.close();
    assert.equal((await stat(ownLog)).size, 0);
  });

  it("removes nothing while the store does not say what lives, and goes on", async () => {
    const unused = await old(layout(dataDir).mirror("/srv/unused"));
    const store = { list: () => Promise.reject(new Error("the store is away")), trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logDays: 7, logger }).close();
    assert.ok(existsSync(unused));
    assert.match(logged.at(-1) ?? "", /failed; it is tried again/);
  });
});
