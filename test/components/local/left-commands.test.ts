/** What a run that was killed leaves: files of its git, and commands, which lead groups of their own and outlive the kill. */
import assert from "node:assert/strict";
import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { OWNER_MARK } from "../../../components/local/environment.ts";
import { layout } from "../../../components/local/layout.ts";
import { isAlive } from "../../../components/local/process-identity.ts";
import { startProcess } from "../../../components/local/processes.ts";
import { taskResource } from "../../../components/local/task.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { createLocalWorld, STACK } from "./local-world.ts";

describe("what a killed run left", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let commit: string;

  beforeEach(async () => {
    repository = await createRepository({ files: { "a.txt": "a" } });
    commit = await repository.head("main");
    world = await createLocalWorld();
  });
  afterEach(async () => {
    await world.remove();
    await repository.remove();
  });

  async function leave(owner: string) {
    const log = await open(join(world.dataDir, "left.log"), "a");
    const environment = { PATH: process.env.PATH ?? "", [OWNER_MARK]: owner };
    const left = await startProcess({ command: "sleep 600", directory: world.dataDir, environment, log: log.fd });
    left.open();
    await log.close();
    return left.identity;
  }

  it("is ended where it still builds, before its tree is removed", async () => {
    const path = await world.checkOut({ repository: repository.path, commit });
    const left = await leave(path);
    await world.checkOut({ repository: repository.path, commit: await repository.commit("main", { "a.txt": "b" }) });
    assert.equal(isAlive(left), false);
  });

  it("refuses no next try by its git's index or the lock of that, and both go", async () => {
    const path = await world.checkOut({ repository: repository.path, commit });
    const { checkouts } = layout(world.dataDir).preview(STACK);
    const before = await readdir(checkouts);
    for (const file of [`${path}.index`, `${path}.index.lock`]) await writeFile(file, "half written");
    assert.equal(await world.checkOut({ repository: repository.path, commit }), path);
    assert.deepEqual(await readdir(checkouts), before);
  });

  it("keeps no commit from being fetched by the lock of its ref in the mirror", async () => {
    await world.checkOut({ repository: repository.path, commit });
    const next = await repository.commit("main", { "a.txt": "b" });
    const mirror = layout(world.dataDir).mirror(repository.path);
    await writeFile(join(mirror, `refs/stackling/commits/${next}.lock`), "");
    await world.checkOut({ repository: repository.path, commit: next });
  });

  it("keeps no commit from being fetched by the half of a mirror", async () => {
    const mirror = layout(world.dataDir).mirror(repository.path);
    await mkdir(mirror, { recursive: true });
    await writeFile(join(mirror, "config.lock"), "");
    await world.checkOut({ repository: repository.path, commit });
  });

  it("does not migrate beside its successor", async () => {
    const checkout = await world.checkOut({ repository: repository.path, commit });
    const left = await leave(join(layout(world.dataDir).preview(STACK).folder, "migrate"));
    const inputs = { checkout, directory: ".", environment: {}, secrets: [], key: "1" };
    const command = `! grep -qs '^State:[[:space:]]*[^Z[:space:]]' /proc/${left.pid}/status`;
    await taskResource.create(world.context(), { ...inputs, task: "migrate", command }, "migrate");
    assert.equal(isAlive(left), false);
  });
});
