import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { folderBackend } from "../../infra/backend.ts";
import { PROJECT } from "../../infra/names.ts";

describe("what a folder still holds of a stack", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-backend-"));
    const stacks = join(folder, ".pulumi", "stacks", PROJECT);
    await mkdir(stacks, { recursive: true });
    // As engine 3.259.0 leaves them behind `pulumi stack tag set`, here for two stacks.
    for (const stack of ["shop-pr-4", "shop-pr-42"]) {
      for (const end of ["json", "json.bak", "pulumi-tags", "pulumi-tags.attrs"]) {
        await writeFile(join(stacks, `${stack}.${end}`), "{}");
      }
    }
  });
  after(() => rm(folder, { recursive: true }));

  it("is its state, backup and tags, and none of another stack's; and goes", async () => {
    const backend = folderBackend(`file://${folder}`);
    const ends = (names: readonly string[] = []) => names.map((name) => name.split("/").at(-1)).sort();
    assert.deepEqual(ends(await backend?.remains("shop-pr-4")), [
      "shop-pr-4.json",
      "shop-pr-4.json.bak",
      "shop-pr-4.pulumi-tags",
      "shop-pr-4.pulumi-tags.attrs",
    ]);
    assert.deepEqual(await backend?.leftovers(), []);
    await rm(join(folder, ".pulumi/stacks/stackling/shop-pr-4.json"));
    assert.deepEqual(await backend?.leftovers(), ["shop-pr-4"]);
    await backend?.clear("shop-pr-4");
    assert.deepEqual(await backend?.leftovers(), []);
    assert.deepEqual(await backend?.remains("shop-pr-4"), []);
    assert.equal((await backend?.remains("shop-pr-42"))?.length, 4);
  });
});
