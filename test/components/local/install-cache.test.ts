import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { installInCache } from "../../../components/local/install-cache.ts";
import { layout } from "../../../components/local/layout.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld } from "./local-world.ts";

describe("what an install leaves", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;

  before(async () => {
    repository = await createRepository({ files: { "requirements.txt": "" } });
    world = await createLocalWorld();
  });
  after(async () => {
    await world.remove();
    await repository.remove();
  });

  it("works where it is used, though Python's virtual environment names its folder", requires("python"), async () => {
    const install = [{ command: "python3 -m venv --without-pip .venv", directory: "." }];
    const build = [{ command: '. .venv/bin/activate && printf %s "$VIRTUAL_ENV" > environment', directory: "." }];
    const commit = await repository.head("main");
    const path = await world.checkOut({ repository: repository.path, commit, install, build });
    assert.equal(await readFile(join(path, "environment"), "utf8"), join(path, ".venv"));
    const cache = layout(world.dataDir).installCache;
    const [folder = ""] = (await readdir(cache)).filter((name) => /^[0-9a-f]+$/.test(name));
    assert.deepEqual(await readdir(join(cache, folder)), ["verdict"], "keeps what nobody will read");
  });

  it("is not taken from where a version before judged it by less", async () => {
    const { checkout, run } = await aCheckout();
    const steps = [{ command: "printf fresh > made", directory: "." }];
    const before = createHash("sha256")
      .update(JSON.stringify({ steps, node: process.version, path: run.environment.PATH, arch: process.arch }))
      .update(JSON.stringify(["requirements.txt", 0]));
    const folder = join(layout(world.dataDir).installCache, before.digest("hex").slice(0, 40));
    await mkdir(join(folder, "tree"), { recursive: true });
    await writeFile(join(folder, "tree", "made"), "stale");
    await writeFile(join(folder, "verdict"), "cached");
    const tree = await installInCache({ dataDir: world.dataDir, checkout, steps, run });
    assert.equal(await readFile(join(tree ?? "", "made"), "utf8"), "fresh");
  });

  it("is kept where all else lies in what pnpm and Bundler keep at home for the next install", async () => {
    const { checkout, run } = await aCheckout();
    const kept = [".bundle/cache/compact_index", ".local/share/pnpm/store/v10", ".local/state/pnpm"];
    for (const folder of kept) {
      const steps = [{ command: `mkdir -p ~/${folder} && printf x > ~/${folder}/file && touch made`, directory: "." }];
      const tree = await installInCache({ dataDir: world.dataDir, checkout, steps, run });
      assert.deepEqual(await readdir(tree ?? ""), ["made", "requirements.txt"], folder);
    }
  });

  it("is not kept where something beside those caches lies at home, or the tree leads into one", async () => {
    const { checkout, run } = await aCheckout();
    const commands = [
      "mkdir -p ~/.bundle/cache && printf x > ~/.bundle/config",
      "mkdir -p ~/.local/share/pnpm/store ~/.local/lib/python3.12",
      "mkdir -p ~/.local/share/pnpm/store/links && ln -s ../home/.local/share/pnpm/store/links package",
    ];
    for (const command of commands) {
      const steps = [{ command, directory: "." }];
      assert.equal(await installInCache({ dataDir: world.dataDir, checkout, steps, run }), undefined, command);
    }
  });

  /** A tree with one manifest, and how a step runs in it. */
  async function aCheckout() {
    const checkout = join(layout(world.dataDir).preview("shop-pr-2").folder, "tree");
    await mkdir(checkout, { recursive: true });
    await writeFile(join(checkout, "requirements.txt"), "");
    const { PATH = "" } = process.env;
    const run = {
      environment: { PATH },
      account: { dataDir: world.dataDir, stack: "shop-pr-2", resource: "build" },
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      secrets: [],
      logFile: join(world.dataDir, "install.log"),
      reason: "InstallFailed",
      action: "installing with",
    } as const;
    return { checkout, run };
  }
});
