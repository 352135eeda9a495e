import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConflictError } from "../../../components/errors.ts";
import { admitFence, highestFence, pruneFences } from "../../../components/local/fence.ts";
import { tryFileLock, withFileLock } from "../../../components/local/file-lock.ts";
import { writeJson } from "../../../components/local/json-file.ts";
import { layout } from "../../../components/local/layout.ts";

describe("a fence", () => {
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-fence-"));
  });
  after(() => rm(dataDir, { recursive: true }));

  it("admits what is as high as the highest seen, and refuses what is lower", async () => {
    for (const fence of [3, 3, 7]) await admitFence(dataDir, "shop-pr-1", fence);
    await assert.rejects(
      admitFence(dataDir, "shop-pr-1", 6),
      (error) => error instanceof ConflictError && error.reason === "FenceLost",
    );
    await admitFence(dataDir, "shop-pr-2", 1);
  });

  it("ends at the highest when many rise at once", async () => {
    const fences = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.allSettled(fences.map((fence) => admitFence(dataDir, "shop-pr-3", fence)));
    assert.equal(await highestFence(dataDir, "shop-pr-3"), 20);
    assert.deepEqual((await readdir(layout(dataDir).fences)).sort(), ["shop-pr-1", "shop-pr-2", "shop-pr-3"]);
  });

  it("outlives its stack for a day, and one that lives for good", async () => {
    await admitFence(dataDir, "shop-pr-8", 1);
    await admitFence(dataDir, "shop-pr-9", 1);
    await mkdir(layout(dataDir).preview("shop-pr-9").folder, { recursive: true });
    await pruneFences(dataDir, Date.now() + 3_600_000);
    assert.equal(await highestFence(dataDir, "shop-pr-8"), 1);
    await pruneFences(dataDir, Date.now() + 90_000_000);
    assert.equal(await highestFence(dataDir, "shop-pr-8"), 0);
    assert.equal(await highestFence(dataDir, "shop-pr-9"), 1);
  });

  it("refuses a stack whose name leads out of the folder", async () => {
    for (const name of ["../x", "a/b", "", ".", "A", "a\n"]) await assert.rejects(admitFence(dataDir, name, 1));
  });

  it("has a lock that one holds at a time, and that a dead holder does not keep", async () => {
    const path = join(dataDir, "lock");
    let inside = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withFileLock(path, async () => {
          assert.equal(++inside, 1);
          await new Promise(setImmediate);
          inside--;
        }),
      ),
    );
    await writeJson(path, { pid: process.pid, startTime: "another life", token: "dead" });
    const release = await tryFileLock(path);
    assert.ok(release);
    assert.equal(await tryFileLock(path), undefined);
    await release();
  });

  it("is taken over when the machine went down while it was written", async () => {
    const path = join(dataDir, "torn");
    await writeFile(path, "");
    const release = await tryFileLock(path);
    assert.ok(release);
    await release();
  });
});
