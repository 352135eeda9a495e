import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConflictError } from "../../../components/errors.ts";
import { admitFence, highestFence, pruneFences } from "../../../components/local/fence.ts";
import { tryFileLock, withFileLock } from "../../../components/local/file-lock.ts";
import { writeJson } from "../../../components/local/json-file.ts";
import { layout } from "../../../components/local/layout.ts";
import { isStopped, startTimeOf } from "../../../components/local/process-identity.ts";
import { eventually } from "../../support/eventually.ts";

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

  it("names a holder that is stopped, and how to go on, instead of waiting for it", async () => {
    const path = join(dataDir, "stopped");
    const holder = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      const pid = holder.pid ?? assert.fail("it did not start");
      await writeJson(path, { pid, startTime: startTimeOf(pid), token: "stopped" });
      const enter = () => withFileLock(path, async () => "inside", { waitMs: 600_000, stoppedMs: 1 });
      holder.kill("SIGSTOP");
      await eventually(() => isStopped(pid));
      await assert.rejects(enter(), {
        reason: "Locked",
        message: "waiting for another process on Stackling's machine: it is stopped, and the service's log names it",
        cause: new Error(
          `the lock "${path}": process ${pid} holds it and is stopped; "kill -CONT ${pid}" lets it go on, "kill -KILL ${pid}" ends it`,
        ),
      });
      holder.kill("SIGKILL");
      assert.equal(await enter(), "inside");
    } finally {
      holder.kill("SIGKILL");
    }
  });

  it("is waited for no longer than that while its holder is at work", async () => {
    const path = join(dataDir, "busy");
    await writeJson(path, { pid: process.ppid, startTime: startTimeOf(process.ppid), token: "busy" });
    await assert.rejects(
      withFileLock(path, async () => "inside", { waitMs: 1 }),
      {
        reason: "Locked",
        message:
          "waiting for another process on Stackling's machine: it is still at work, and the service's log names it",
        cause: new Error(
          `the lock "${path}": process ${process.ppid} holds it and is at work; "kill ${process.ppid}" ends it`,
        ),
      },
    );
  });

  it("is taken over when the machine went down while it was written", async () => {
    const path = join(dataDir, "torn");
    await writeFile(path, "");
    const release = await tryFileLock(path);
    assert.ok(release);
    await release();
  });
});
