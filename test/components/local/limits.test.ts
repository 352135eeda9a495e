import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { groupFolders, limitsSupport } from "../../../components/local/limits.ts";
import { requires } from "../../support/requires.ts";

const LIMITS = fileURLToPath(new URL("../../../components/local/limits.ts", import.meta.url));

describe("what of control groups can be used", () => {
  it("is found by making one, of which nothing stays", requires("cgroups"), async () => {
    assert.notEqual(await limitsSupport(), "none");
    assert.deepEqual(groupFolders(`try-${process.pid}`).filter(existsSync), []);
  });

  it(
    "is nothing where they can be written and give no controllers, as in a container with all rights",
    requires("namespaces"),
    async () => {
      // Its root is the group that this process lies in.
      const mount = "mount -t cgroup2 none /sys/fs/cgroup && test -w /sys/fs/cgroup/cgroup.subtree_control";
      const ask = `console.log(await (await import(${JSON.stringify(LIMITS)})).limitsSupport())`;
      const program = ["--input-type=module", "--eval", ask];
      const inside = ["sh", "-c", `${mount} && exec "$@"`, "sh", process.execPath, ...program];
      const { stdout } = await execa("unshare", ["--mount", "--cgroup", ...inside]);
      assert.equal(stdout, "none");
    },
  );
});
