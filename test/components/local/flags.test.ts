import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { flagsResource } from "../../../components/local/flags.ts";
import { canSwitchUser, listUsers } from "../../../components/local/users.ts";
import { createLocalWorld, STACK } from "./local-world.ts";

describe("a file with flag definitions", () => {
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  before(async () => {
    world = await createLocalWorld();
  });
  after(() => world.remove());

  const make = (text: string) => flagsResource.create(world.context(), { text }, "flags");

  it("is read and not written by the preview's user", { skip: !canSwitchUser() && "needs root" }, async () => {
    const { state } = await make("{}\n");
    const { uid, gid, mode } = await stat(state.path);
    assert.deepEqual([uid, gid, mode & 0o777], [0, (await listUsers(world.dataDir))[STACK], 0o640]);
  });

  it("stays as it is for the version that serves while the next one has another", async () => {
    const [first, second] = [await make("1\n"), await make("2\n")];
    assert.deepEqual(flagsResource.diff(first.state, { text: "2\n" }), { changes: true, replaces: ["text"] });
    assert.deepEqual(flagsResource.diff(first.state, { text: "1\n" }), { changes: false, replaces: [] });
    assert.equal(await readFile(first.state.path, "utf8"), "1\n");
    await flagsResource.delete(world.context(), first.id, first.state);
    assert.equal(await readFile(second.state.path, "utf8"), "2\n");
    assert.equal(await flagsResource.read(world.context(), first.id, first.state), undefined);
    await flagsResource.delete(world.context(), first.id, first.state);
  });

  it("counts as gone when somebody edited it, and is made again", async () => {
    const { id, state } = await make("3\n");
    await writeFile(state.path, "4\n");
    assert.equal(await flagsResource.read(world.context(), id, state), undefined);
    assert.deepEqual((await make("3\n")).state, state);
    assert.deepEqual(await flagsResource.read(world.context(), id, state), state);
  });
});
