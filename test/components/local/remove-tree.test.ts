import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { removeTree } from "../../../components/local/remove-tree.ts";

const FILES = Array.from({ length: 2_000 }, (_, index) => `f${index}`);

/** Waits until argv[1] loses its first file, moves it to argv[2] and puts a link to argv[3] in its place. */
const SWAP = `
const { readdirSync, renameSync, symlinkSync } = require("node:fs");
const [, folder, away, victim] = process.argv;
console.log("ready");
while (readdirSync(folder).length === ${FILES.length});
renameSync(folder, away);
symlinkSync(victim, folder);
`;

describe("removing a tree", () => {
  it("touches nothing else when a folder becomes a symbolic link meanwhile", async () => {
    const base = await mkdtemp(join(tmpdir(), "stackling-remove-"));
    try {
      const [tree, away, victim] = ["tree", "away", "victim"].map((name) => join(base, name)) as [
        string,
        string,
        string,
      ];
      for (const folder of [join(tree, "folder"), victim]) {
        await mkdir(folder, { recursive: true });
        await Promise.all(FILES.map((file) => writeFile(join(folder, file), "")));
      }
      const swap = execa(process.execPath, ["-e", SWAP, join(tree, "folder"), away, victim]);
      await new Promise((resolve) => swap.stdout.once("data", resolve));
      await removeTree(tree);
      await swap.catch(() => undefined);
      assert.equal((await readdir(victim)).length, FILES.length);
      assert.deepEqual((await readdir(base)).includes("tree"), false);
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  });

  it("takes what is gone for done", async () => {
    await removeTree(join(tmpdir(), "stackling-never-there"));
  });
});
