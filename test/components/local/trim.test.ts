import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { tryFileLock } from "../../../components/local/file-lock.ts";
import { markUsed } from "../../../components/local/json-file.ts";
import { layout, prepareDataDir } from "../../../components/local/layout.ts";
import { ensureMirror } from "../../../components/local/mirror.ts";
import { trimCaches } from "../../../components/local/trim.ts";
import { createRepository } from "../../support/git-repository.ts";

const DAY_MS = 86_400_000;

describe("trimming the caches", () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-trim-"));
    await prepareDataDir(dataDir);
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const install = (letter: string) => join(layout(dataDir).installCache, letter.repeat(40));
  const aged = async (path: string, days: number) => {
    await mkdir(join(path, "tree"), { recursive: true });
    const then = new Date(Date.now() - days * DAY_MS);
    await utimes(path, then, then);
    return path;
  };
  const trim = (inUse: readonly string[] = []) => trimCaches({ dataDir, now: Date.now(), inUse });

  it("removes installs that nobody used for 14 days, and no other", async () => {
    await aged(install("a"), 15);
    await aged(install("b"), 13);
    await markUsed(await aged(install("c"), 15));
    assert.deepEqual(await trim(), ["a".repeat(40)]);
    assert.deepEqual((await readdir(layout(dataDir).installCache)).sort(), ["b".repeat(40), "c".repeat(40)]);
  });

  it("leaves what somebody works on", async () => {
    const path = await aged(install("a"), 15);
    const unlock = await tryFileLock(`${path}.lock`);
    assert.deepEqual(await trim(), []);
    await unlock?.();
    assert.deepEqual(await trim(), ["a".repeat(40)]);
  });

  it("removes mirrors that nobody used for 30 days, but those of living previews, and they come back when asked for", async () => {
    const repository = await createRepository({ files: { a: "1" } });
    try {
      const { path } = repository;
      const commit = await repository.head("main");
      const fetched = () => ensureMirror({ dataDir, repository: path, url: path, refs: [], commit, environment: {} });
      const mirror = layout(dataDir).mirror(path);
      await fetched();
      await aged(mirror, 31);
      assert.deepEqual(await trim([path]), []);
      await fetched();
      assert.deepEqual(await trim(), []);
      await aged(mirror, 31);
      assert.equal((await trim()).length, 1);
      await fetched();
      assert.ok((await readdir(mirror)).includes("HEAD"));
    } finally {
      await repository.remove();
    }
  });

  it("does nothing where nothing was ever cached", async () => {
    await rm(dataDir, { recursive: true });
    assert.deepEqual(await trim(), []);
  });
});
