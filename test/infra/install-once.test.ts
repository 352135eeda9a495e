import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { cacheDir, installOnce, withLock } from "../../infra/install-once.mjs";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";

const modulePath = new URL("../../infra/install-once.mjs", import.meta.url).href;

describe("what is installed once", () => {
  let folder: string;
  let target: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-once-"));
    target = join(folder, "thing");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is filled by one of many that ask at the same time", async () => {
    let filled = 0;
    const fill = async (directory: string): Promise<void> => {
      filled += 1;
      await writeFile(join(directory, "file"), "whole");
    };
    await Promise.all([1, 2, 3, 4, 5].map(() => installOnce({ target, fill })));
    assert.equal(filled, 1);
    assert.equal(await readFile(join(target, "file"), "utf8"), "whole");
  });

  it("is absent, with nothing left behind, when filling it failed", async () => {
    const fill = async (directory: string): Promise<void> => {
      await writeFile(join(directory, "half"), "");
      throw new Error("no room");
    };
    await assert.rejects(installOnce({ target, fill }), /no room/);
    assert.deepEqual(await readdir(folder), []);
  });

  it("is installed by the next when the first was killed in the middle", async () => {
    const script = `import { installOnce } from "${modulePath}";
      import { writeFileSync } from "node:fs";
      await installOnce({ target: ${JSON.stringify(target)}, fill: async (directory) => {
        writeFileSync(directory + "/half", "");
        console.log("filling");
        await new Promise((resolve) => setTimeout(resolve, 600_000));
      }});`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = once(child, "exit");
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await gone;
    await installOnce({ target, fill: (directory) => writeFile(join(directory, "file"), "whole") });
    assert.deepEqual(await readdir(folder), ["thing"]);
    assert.deepEqual(await readdir(target), ["file"]);
  });

  it("is waited for while a living process is at it, and the wait is told once", async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const lock = `${target}.lock`;
    const first = withLock({ path: lock }, () => finished);
    await eventually(() => existsSync(lock));
    let told = 0;
    const second = withLock({ path: lock, onWait: () => ++told }, async () => "after");
    await eventually(() => told > 0);
    finish();
    await first;
    assert.equal(await second, "after");
    assert.equal(told, 1);
    assert.equal(existsSync(lock), false);
  });

  it("is taken over from a process whose pid somebody else has got by now", async () => {
    const lock = `${target}.lock`;
    await writeFile(lock, JSON.stringify({ host: hostname(), pid: process.pid, startTime: "1", id: "x" }));
    assert.equal(await withLock({ path: lock }, async () => "mine"), "mine");
  });
});

describe("the cache", () => {
  it("is the folder named by hand", () => {
    assert.equal(cacheDir({ STACKLING_CACHE: "/somewhere", XDG_CACHE_HOME: "/else" }), "/somewhere");
  });

  it("is where the programs in it can be started by other users, for root", requires("root"), async () => {
    const folder = await mkdtemp(join(tmpdir(), "stackling-xdg-"));
    try {
      assert.equal(cacheDir({ XDG_CACHE_HOME: join(folder, "cache") }), "/var/cache/stackling");
      await chmod(folder, 0o755);
      await mkdir(join(folder, "cache"));
      assert.equal(cacheDir({ XDG_CACHE_HOME: join(folder, "cache") }), join(folder, "cache", "stackling"));
      assert.equal(cacheDir({}), "/var/cache/stackling");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
