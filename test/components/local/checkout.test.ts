import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { checkoutResource } from "../../../components/local/checkout.ts";
import { folderResource } from "../../../components/local/folder.ts";
import { layout } from "../../../components/local/layout.ts";
import { startTimeOf } from "../../../components/local/process-identity.ts";
import { findByUser } from "../../../components/local/processes.ts";
import { listUsers } from "../../../components/local/users.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, failureOf } from "./local-world.ts";

describe("a checkout", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let commit: string;

  before(async () => {
    repository = await createRepository({
      files: {
        ".gitattributes": "*.crlf text eol=crlf\n",
        "lines.crlf": "one\ntwo\n",
        "with space 'quote' ü;$(id).txt": "odd name",
        "package.json": JSON.stringify({ name: "app", version: "1.0.0" }),
        "package-lock.json": "{}",
        "src/main.js": "main",
      },
    });
    commit = await repository.head("main");
  });
  after(() => repository.remove());
  beforeEach(async () => {
    world = await createLocalWorld();
  });
  afterEach(() => world.remove());

  it("holds the commit's files, attributes applied, and no .git", async () => {
    const path = await world.checkOut({ repository: repository.path, commit });
    assert.equal(await readFile(join(path, "lines.crlf"), "utf8"), "one\r\ntwo\r\n");
    assert.equal(await readFile(join(path, "with space 'quote' ü;$(id).txt"), "utf8"), "odd name");
    await assert.rejects(lstat(join(path, ".git")));
  });

  it("leaves alone those of other repositories, which may be in the making, and takes leftovers of its own", async () => {
    const source = { repository: repository.path, commit, submodules: false, lfs: false, install: [], build: [] };
    const make = async (slot: string | undefined, generation: number) => {
      const inputs = { ...(slot ? { slot } : {}), source, environment: {}, generation };
      return (await checkoutResource.create(world.context(), inputs, "checkout")).state.path;
    };
    const [own, api] = await Promise.all([make(undefined, 0), make("api", 0)]);
    const mail = await make("mail-out", 0);
    const there = async () => (await readdir(layout(world.dataDir).preview("shop-pr-1").checkouts)).length / 2;
    for (const path of [own, api, mail]) assert.ok(await lstat(path));
    const before = await there();
    await make("api", 1);
    assert.equal(await there(), before, "the one before was a leftover");
    await assert.rejects(lstat(api));
    assert.ok(await lstat(own));
  });

  it("is built while that of another repository is, and neither ends what the other runs, nor writes to its log", async () => {
    const make = (slot: string) => {
      const build = [{ command: `sleep 1; echo ${slot} | tee built`, directory: "." }];
      const source = { repository: repository.path, commit, submodules: false, lfs: false, install: [], build };
      return checkoutResource.create(world.context(), { slot, source, environment: {}, generation: 0 }, "checkout");
    };
    const made = await Promise.all([make("api"), make("mail")]);
    const built = made.map(({ state }) => readFile(join(state.path, "built"), "utf8"));
    assert.deepEqual(await Promise.all(built), ["api\n", "mail\n"]);
    const { log } = layout(world.dataDir).preview("shop-pr-1");
    for (const slot of ["api", "mail"]) {
      const command = `sleep 1; echo ${slot} | tee built`;
      assert.equal(await readFile(log(`build-${slot}`), "utf8"), `$ ${command}\n${slot}\n`);
    }
  });

  it("belongs to the preview's user when root made it", requires("root"), async () => {
    const path = await world.checkOut({ repository: repository.path, commit });
    assert.ok((await stat(join(path, "src", "main.js"))).uid >= 300_000);
  });

  it("reads a repository that belongs to somebody else", requires("root"), async () => {
    const theirs = await createRepository({ files: { "a.txt": "a" } });
    try {
      await execa("chown", ["-R", "12345:12345", theirs.path]);
      const head = await execa("git", ["-c", `safe.directory=${theirs.path}`, "-C", theirs.path, "rev-parse", "main"]);
      const path = await world.checkOut({ repository: theirs.path, commit: head.stdout });
      assert.equal(await readFile(join(path, "a.txt"), "utf8"), "a");
    } finally {
      await theirs.remove();
    }
  });

  it("runs no hook of the repository and of the tree", async () => {
    const hooks = join(repository.path, ".git", "hooks");
    await mkdir(hooks, { recursive: true });
    const mark = join(world.dataDir, "hook-ran");
    await writeFile(join(hooks, "post-checkout"), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    try {
      await world.checkOut({ repository: repository.path, commit });
      await assert.rejects(stat(mark));
    } finally {
      await rm(hooks, { recursive: true });
    }
  });

  it("fails with the last redacted lines when the build fails, and leaves no folder", async () => {
    const command = "echo token=abcdef123456; echo https://u:p@host/x; exit 3";
    const build = [{ command, directory: "." }];
    const error = await failureOf(world.checkOut({ repository: repository.path, commit, build }));
    assert.equal(error.reason, "BuildFailed");
    assert.deepEqual(error.excerpt, ["token=[redacted]", "https://[redacted]@host/x"]);
    assert.deepEqual(
      (await world.owned()).filter((kind) => kind !== "user"),
      ["folder"],
    );
  });

  it("refuses a commit that is not there and an id that is not one", async () => {
    for (const wrong of ["0".repeat(40), "--upload-pack=touch /tmp/x", "HEAD"]) {
      assert.equal(
        (await failureOf(world.checkOut({ repository: repository.path, commit: wrong }))).reason,
        "CheckoutFailed",
      );
    }
  });

  it("refuses a build directory outside of the source", async () => {
    const build = [{ command: "true", directory: "../.." }];
    assert.equal(
      (await failureOf(world.checkOut({ repository: repository.path, commit, build }))).reason,
      "SpecInvalid",
    );
  });

  it("installs once for equal manifests and commands, in a folder that holds nothing else", async () => {
    const install = [
      { command: "mkdir -p node_modules && date +%N > node_modules/when && ls > node_modules/saw", directory: "." },
    ];
    const first = await world.checkOut({ repository: repository.path, commit, install });
    const changed = await repository.commit("feature", { "src/main.js": "changed" });
    const second = await world.checkOut({ repository: repository.path, commit: changed, install });
    const [one, two] = await Promise.all(
      [first, second].map((path) => readFile(join(path, "node_modules/when"), "utf8").catch(() => undefined)),
    );
    assert.equal(one, undefined, "the first was a leftover of a state that nobody confirmed");
    assert.ok(two);
    assert.equal(
      await readFile(join(second, "node_modules/saw"), "utf8"),
      "node_modules\npackage-lock.json\npackage.json\n",
    );
    const third = await world.checkOut({ repository: repository.path, commit, install });
    assert.equal(await readFile(join(third, "node_modules/when"), "utf8"), two);
  });

  it("reads what to install before the preview's user can change it", requires("root"), async () => {
    const source = { repository: repository.path, commit, submodules: false, lfs: false, build: [] };
    const install = [{ command: "true", directory: "." }];
    const { checkouts } = layout(world.dataDir).preview("shop-pr-1");
    const owners: number[] = [];
    const log = () => owners.push(...readdirSync(checkouts).map((name) => statSync(join(checkouts, name)).uid));
    const inputs = { source: { ...source, install }, environment: {}, generation: 0 };
    const { state } = await checkoutResource.create({ ...world.context(), log }, inputs, "checkout");
    assert.deepEqual(owners, [0]);
    assert.notEqual(statSync(state.path).uid, 0);
  });

  it("ends what an install left running, though it shed its environment and its group", requires("root"), async () => {
    const stray = `env -i setsid /bin/sh -c 'echo $$ > pid; exec sleep 300' & while [ ! -s pid ]; do :; done`;
    const install = [{ command: stray, directory: "." }];
    const path = await world.checkOut({ repository: repository.path, commit, install });
    const pid = Number(await readFile(join(path, "pid"), "utf8"));
    try {
      assert.equal(startTimeOf(pid), undefined);
    } finally {
      if (startTimeOf(pid)) process.kill(pid, "SIGKILL");
    }
  });

  it("leaves no process of the preview that forks without pause", requires("root"), async () => {
    const beat = join(world.dataDir, "beat");
    await writeFile(beat, "");
    await chmod(beat, 0o666);
    const chain = `f() { [ $1 -gt 100000 ] && exit; printf x >> ${beat}; f $(($1 + 1)) & exit; }; f 0`;
    const build = [{ command: `env -i setsid /bin/sh -c '${chain}'`, directory: "." }];
    await world.checkOut({ repository: repository.path, commit, build });
    const user = (await listUsers(world.dataDir))["shop-pr-1"] ?? 0;
    assert.ok(user >= 300_000);
    await folderResource.delete(world.context(), "shop-pr-1", { path: "" });
    const { size } = await stat(beat);
    for (let look = 0; look < 20; look++) assert.deepEqual(await findByUser(user), []);
    assert.equal((await stat(beat)).size, size, "the chain goes on");
  });

  it("installs in the tree when the command needs more than manifests", async () => {
    const install = [{ command: "cp src/main.js installed.js", directory: "." }];
    const path = await world.checkOut({ repository: repository.path, commit, install });
    assert.equal(await readFile(join(path, "installed.js"), "utf8"), "main");
  });

  it("holds submodules when asked for, also those of a relative address", async () => {
    const inner = await createRepository({ files: { "inner.txt": "inner" } });
    const outer = await createRepository({ files: { "outer.txt": "outer" } });
    try {
      await outer.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", inner.path, "parts/inner");
      const withModule = await outer.commit("main", {});
      const path = await world.checkOut({ repository: outer.path, commit: withModule, submodules: true });
      assert.equal(await readFile(join(path, "parts/inner/inner.txt"), "utf8"), "inner");
      const without = await world.checkOut({ repository: outer.path, commit: withModule });
      assert.deepEqual(await readdir(join(without, "parts/inner")), []);
    } finally {
      await inner.remove();
      await outer.remove();
    }
  });

  it("writes nothing through a link beside a submodule", async () => {
    const inner = await createRepository({ files: { "inner.txt": "inner" } });
    const outer = await createRepository({ files: { "outer.txt": "outer" } });
    try {
      const outside = join(world.dataDir, "outside");
      await outer.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", inner.path, "lib");
      await symlink(outside, join(outer.path, "lib.index"));
      const withLink = await outer.commit("main", {});
      const path = await world.checkOut({ repository: outer.path, commit: withLink, submodules: true });
      assert.equal(await readFile(join(path, "lib/inner.txt"), "utf8"), "inner");
      assert.equal(await readlink(join(path, "lib.index")), outside);
      await assert.rejects(stat(outside));
    } finally {
      await inner.remove();
      await outer.remove();
    }
  });

  it("holds the contents of LFS files when asked for", async () => {
    const large = await createRepository({ files: { ".gitattributes": "*.bin filter=lfs -text\n" } });
    try {
      const content = "large content\n";
      const lfs = ["-c", "filter.lfs.clean=git-lfs clean -- %f", "-c", "filter.lfs.required=true"];
      await writeFile(join(large.path, "a.bin"), content);
      await large.git(...lfs, "add", "a.bin");
      await large.git(...lfs, "commit", "--quiet", "-m", "large");
      const head = await large.git("rev-parse", "HEAD");
      const path = await world.checkOut({ repository: large.path, commit: head, lfs: true });
      assert.equal(await readFile(join(path, "a.bin"), "utf8"), content);
      const pointer = await world.checkOut({ repository: large.path, commit: head });
      assert.match(await readFile(join(pointer, "a.bin"), "utf8"), /^version https:\/\/git-lfs/);
    } finally {
      await large.remove();
    }
  });

  it("keeps a tree that the engine knows of and removes one that it never heard of", async () => {
    const context = world.context();
    const known = await world.checkOut({ repository: repository.path, commit });
    const state = {
      source: { repository: repository.path, commit, submodules: false, lfs: false, install: [], build: [] },
      environment: {},
      generation: 0,
      path: known,
    };
    await checkoutResource.confirm?.(context, known, state);
    const unknown = await world.checkOut({
      repository: repository.path,
      commit: await repository.commit("two", { a: "2" }),
    });
    await world.checkOut({ repository: repository.path, commit: await repository.commit("three", { a: "3" }) });
    assert.deepEqual(await checkoutResource.read(context, known, state), state);
    await assert.rejects(stat(unknown));
  });

  it("leaves no mark behind when a delete was cut short behind its tree", async () => {
    const context = world.context();
    const source = { repository: repository.path, commit, submodules: false, lfs: false, install: [], build: [] };
    const { id, state } = await checkoutResource.create(
      context,
      { source, environment: {}, generation: 0 },
      "checkout",
    );
    await checkoutResource.confirm?.(context, id, state);
    await rm(state.path, { recursive: true });
    assert.equal(await checkoutResource.read(context, id, state), undefined);
    assert.deepEqual(await world.owned(), ["folder", "user"]);
    assert.deepEqual(await readdir(layout(world.dataDir).preview(context.stack).checkouts), []);
  });

  it("is gone with its preview's folder and user at the end", async () => {
    await world.checkOut({ repository: repository.path, commit });
    await folderResource.delete(world.context(), "shop-pr-1", { path: "" });
    assert.deepEqual(await world.owned(), []);
  });
});
