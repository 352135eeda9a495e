import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { keepWhole, mendState, readState } from "../../infra/whole-state.ts";

const STATE = '{"checkpoint":{}}';
const LATER = '{"checkpoint":{"later":true}}';

describe("a state file", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-state-"));
    file = join(folder, "shop-pr-1.json");
    await writeFile(file, STATE);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** As an engine replaces it: another file takes its name. */
  const replaceBy = async (text: string) => {
    await rm(file);
    await writeFile(file, text);
  };

  it("is put back when a run leaves half of one", async () => {
    await writeFile(`${file}.attrs`, "{}");
    const failed = keepWhole(file, async () => {
      await replaceBy(LATER.slice(0, 5));
      throw new Error("no space left on device");
    });
    await assert.rejects(failed, /no space/);
    assert.equal(await readFile(file, "utf8"), STATE);
    await assert.rejects(readFile(`${file}.attrs`), { code: "ENOENT" });
  });

  it("is put back by the next run when this one was killed", async () => {
    await keepWhole(file, async () => {});
    await replaceBy("");
    assert.equal(await readState(file), STATE);
    assert.equal(await mendState(file), true);
    assert.equal(await readFile(file, "utf8"), STATE);
    assert.equal(await mendState(file), false);
  });

  it("goes back no further than the engine's own backup of the same run", async () => {
    await keepWhole(file, async () => {});
    await writeFile(`${file}.bak`, LATER);
    const later = Date.now() / 1000 + 1;
    await utimes(`${file}.bak`, later, later);
    await replaceBy("");
    await mendState(file);
    assert.equal(await readFile(file, "utf8"), LATER);
  });

  it("is left alone while it is whole, gone, or nothing is there to mend it with", async () => {
    await keepWhole(file, () => replaceBy(LATER));
    assert.equal(await mendState(file), false);
    assert.equal(await readFile(file, "utf8"), LATER);
    await rm(file);
    assert.equal(await mendState(file), false);
    assert.equal(await readState(file), undefined);
    const lonely = join(folder, "lonely.json");
    await writeFile(lonely, "{");
    assert.equal(await mendState(lonely), false);
    await truncate(lonely);
    assert.equal(await readState(lonely), "");
  });
});
