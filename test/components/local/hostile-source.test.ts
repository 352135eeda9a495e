/** Commits that mean harm on their way to this machine: where their files lead, and what their builds start. */
import assert from "node:assert/strict";
import { lstat, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { layout } from "../../../components/local/layout.ts";
import { sizeOf, tailOfLog } from "../../../components/local/log-file.ts";
import { findByUser } from "../../../components/local/processes.ts";
import { listUsers } from "../../../components/local/users.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, failureOf, STACK } from "./local-world.ts";

const SECRET = "a passphrase of the service";

describe("a hostile commit", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;

  before(async () => {
    repository = await createRepository({ files: { "package.json": "{}", "a.txt": "a" } });
  });
  after(() => repository.remove());
  beforeEach(async () => {
    world = await createLocalWorld();
    await writeFile(layout(world.dataDir).passphrase, SECRET, { mode: 0o600 });
  });
  afterEach(() => world.remove());

  const git = async (args: readonly string[], input = "") => {
    const who = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"];
    return (await execa("git", ["-C", repository.path, ...who, ...args], { input })).stdout;
  };
  const blob = (text: string) => git(["hash-object", "-w", "--stdin"], text);
  const tree = (...entries: readonly string[]) => git(["mktree", "--missing"], `${entries.join("\n")}\n`);
  /** One that no `git add` would make, as a client of one's own can. */
  const commitOf = async (root: string) => {
    const commit = await git(["commit-tree", root, "-m", "harm"]);
    await git(["update-ref", `refs/heads/harm-${commit}`, commit]);
    return commit;
  };
  const checkOut = (commit: string, more = {}) => world.checkOut({ repository: repository.path, commit, ...more });

  const paths: Readonly<Record<string, (evil: string) => Promise<string>>> = {
    "..": async (evil) => tree(`040000 tree ${await tree(`100644 blob ${evil}\tevil`)}\t..`),
    "a folder and ..": async (evil) => {
      const up = await tree(`040000 tree ${await tree(`100644 blob ${evil}\tevil`)}\t..`);
      return tree(`040000 tree ${up}\tfolder`);
    },
    ".git": async (evil) => tree(`040000 tree ${await tree(`100644 blob ${evil}\tconfig`)}\t.git`),
    "a .git in other letters": async (evil) => tree(`040000 tree ${await tree(`100644 blob ${evil}\tconfig`)}\t.GIT`),
  };
  for (const [what, make] of Object.entries(paths)) {
    it(`writes nothing where its paths lead through ${what}`, async () => {
      const commit = await commitOf(await make(await blob("evil")));
      assert.equal((await failureOf(checkOut(commit))).reason, "CheckoutFailed");
      const { folder, checkouts } = layout(world.dataDir).preview(STACK);
      assert.deepEqual(
        (await readdir(checkouts)).filter((name) => !name.includes(".")),
        [],
      );
      for (const place of [folder, checkouts, world.dataDir]) await assert.rejects(lstat(join(place, "evil")));
    });
  }

  it("reads nothing of the service's by links out of its tree, nor do its installs", requires("root"), async () => {
    const link = await blob(layout(world.dataDir).passphrase);
    const commit = await commitOf(await tree(`120000 blob ${link}\tpackage.json`, `120000 blob ${link}\tlink`));
    for (const steps of ["install", "build"]) {
      for (const command of ["cat package.json", "cat link"]) {
        const error = await failureOf(checkOut(commit, { [steps]: [{ command, directory: "." }] }));
        assert.match(error.excerpt.join("\n"), /Permission denied/);
        assert.doesNotMatch(JSON.stringify(error.excerpt), /passphrase of/);
      }
    }
  });

  it("lists and reads nothing by a folder that is a link to the service's own", requires("root"), async () => {
    const link = await blob(layout(world.dataDir).mirrors);
    const commit = await commitOf(await tree(`120000 blob ${link}\tapp`));
    for (const command of ["ls", "cat git.config", "touch was-here"]) {
      const error = await failureOf(checkOut(commit, { build: [{ command, directory: "app" }] }));
      assert.equal(error.reason, "BuildFailed", command);
    }
    assert.ok(!(await readdir(layout(world.dataDir).mirrors)).includes("was-here"));
  });

  /** Ten folders in each of ten: as many files as it likes, of a handful of objects. */
  const bomb = async (depth: number) => {
    let root = await tree(`100644 blob ${await blob("x")}\tfile`);
    for (let level = 0; level < depth; level += 1) {
      const inner = root;
      root = await tree(...Array.from({ length: 10 }, (_none, index) => `040000 tree ${inner}\tfolder-${index}`));
    }
    return commitOf(root);
  };

  it("writes nothing of a tree that unfolds to ten thousand million files", async () => {
    await world.remove();
    world = await createLocalWorld({ checkout: { files: 10_000 } });
    const commit = await bomb(10);
    for (const more of [{}, { submodules: true }]) {
      const error = await failureOf(checkOut(commit, more));
      assert.equal(error.reason, "CheckoutFailed");
      assert.match(error.userMessage, /more than \d+ files/);
    }
    const { checkouts } = layout(world.dataDir).preview(STACK);
    assert.deepEqual(
      (await readdir(checkouts)).filter((name) => !name.includes(".")),
      [],
    );
  });

  it("writes nothing of more files, or larger ones, than the operator allows", async () => {
    await world.remove();
    world = await createLocalWorld({ checkout: { files: 100, mebibytes: 1 } });
    const many = await bomb(2);
    assert.ok(await checkOut(many));
    const more = await failureOf(checkOut(await bomb(3)));
    assert.match(more.userMessage, /more than 100 files, which the operator allows \(limits\.checkoutFiles\)/);
    const half = await blob("x".repeat(512 * 1024));
    const fits = await commitOf(await tree(`100644 blob ${half}\ta`, `100644 blob ${half}\tb`));
    assert.ok(await checkOut(fits));
    const large = await commitOf(await tree(...["a", "b", "c"].map((name) => `100644 blob ${half}\t${name}`)));
    assert.match((await failureOf(checkOut(large))).userMessage, /more than 1 MiB.*limits\.checkoutMiB/);
  });

  it("leaves no more of what its build printed than a log may hold, and tells its end", async () => {
    const commit = await repository.head("main");
    const command = "head -c 7000000 /dev/zero | tr '\\0' 'x'; echo; echo last; exit 1";
    const error = await failureOf(checkOut(commit, { build: [{ command, directory: "." }] }));
    assert.equal(error.excerpt.at(-1), "last");
    const log = layout(world.dataDir).preview(STACK).log("build");
    assert.equal(await sizeOf(log), 0);
    assert.equal(await tailOfLog(log, 5), "last\n");
  });

  it("ends its own build by forking without end, and leaves no process", requires("root"), async () => {
    const commit = await repository.head("main");
    const command = "i=0; while [ $i -lt 1500 ]; do sleep 300 & i=$((i+1)); done; echo all of them";
    const error = await failureOf(checkOut(commit, { build: [{ command, directory: "." }] }));
    assert.equal(error.reason, "BuildFailed");
    assert.doesNotMatch(error.excerpt.join("\n"), /all of them/);
    for (const user of Object.values(await listUsers(world.dataDir))) assert.deepEqual(await findByUser(user), []);
  });
});
