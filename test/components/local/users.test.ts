import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { layout } from "../../../components/local/layout.ts";
import { allocateUser, freeUser, listUsers } from "../../../components/local/users.ts";
import { requires } from "../../support/requires.ts";

describe("the users of previews", requires("root"), () => {
  it("leave nothing of a writer that was killed in the middle", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "stackling-users-"));
    try {
      await allocateUser(dataDir, "shop-pr-1");
      await writeFile(`${layout(dataDir).users}.b251136f-ba6f-444a-afca-6aeece2914d3.tmp`, '{"users":{"shop-pr-1"');
      await freeUser(dataDir, "shop-pr-1");
      assert.deepEqual(await listUsers(dataDir), {});
      assert.deepEqual(
        (await readdir(dataDir)).filter((name) => name.endsWith(".tmp")),
        [],
      );
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
