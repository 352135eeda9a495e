import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { askVersion, engineCacheRoot, isFit, locateEngine, sdkVersion } from "../../infra/engine.ts";
import { requires } from "../support/requires.ts";

describe("the engine", () => {
  let folder: string;
  let cache: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-engine-"));
    cache = join(folder, "cache");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is the one named by hand, before any other", async () => {
    const named = await program("named/pulumi", `echo v${sdkVersion()}`);
    const onPath = await program("path/pulumi", `echo v${sdkVersion()}`);
    const found = await locateEngine({ STACKLING_CACHE: cache, STACKLING_ENGINE: named, PATH: join(onPath, "..") });
    assert.deepEqual(found, { command: named, version: sdkVersion(), languageHost: false });
  });

  it("is refused, with both versions, when the one named by hand does not fit the SDK", async () => {
    const named = await program("named/pulumi", "echo v2.0.1");
    await assert.rejects(
      locateEngine({ STACKLING_CACHE: cache, STACKLING_ENGINE: named, PATH: "" }),
      (error: Error) => {
        assert.match(error.message, /"v?2\.0\.1"/);
        assert.ok(error.message.includes(sdkVersion()) && error.message.includes(named));
        return true;
      },
    );
  });

  it("is refused when the one named by hand is not there, even where another would do", async () => {
    const onPath = await program("path/pulumi", `echo v${sdkVersion()}`);
    const env = { STACKLING_CACHE: cache, STACKLING_ENGINE: join(folder, "none"), PATH: join(onPath, "..") };
    await assert.rejects(locateEngine(env), { reason: "EngineUnfit" });
  });

  it("is the first on PATH that fits, when an older one comes before it", async () => {
    const older = await program("older/pulumi", "echo v3.1.0");
    const fit = await program("fit/pulumi", `echo v${sdkVersion()}`);
    const PATH = `${join(older, "..")}:${join(fit, "..")}`;
    assert.equal((await locateEngine({ STACKLING_CACHE: cache, PATH })).command, fit);
  });

  it("is the cached one when none on PATH fits", async () => {
    const older = await program("older/pulumi", "echo v3.1.0");
    const env = { STACKLING_CACHE: cache, PATH: join(older, "..") };
    const cached = await programAt(join(engineCacheRoot(env), "bin", "pulumi"), "exit 1");
    assert.deepEqual(await locateEngine(env), { command: cached, version: sdkVersion(), languageHost: false });
  });

  it("has a language host when that lies beside it", async () => {
    const named = await program("named/pulumi", `echo v${sdkVersion()}`);
    await program("named/pulumi-language-nodejs", "exit 0");
    const found = await locateEngine({ STACKLING_CACHE: cache, STACKLING_ENGINE: named, PATH: "" });
    assert.equal(found.languageHost, true);
  });

  it("is missing with one error that names every way to one", async () => {
    await assert.rejects(locateEngine({ STACKLING_CACHE: cache, PATH: folder }), (error: Error) => {
      for (const way of ["STACKLING_ENGINE", "PATH", "download", "Go"]) assert.ok(error.message.includes(way), way);
      return true;
    });
  });

  it("is asked for its version once, and again when the file changes", async () => {
    const asked = join(folder, "asked");
    const script = `echo x >> "${asked}"; echo v${sdkVersion()}`;
    const named = await program("named/pulumi", script);
    const env = { STACKLING_CACHE: cache, STACKLING_ENGINE: named, PATH: "" };
    await locateEngine(env);
    await locateEngine(env);
    assert.equal(await readFile(asked, "utf8"), "x\n");
    await programAt(named, `${script} # longer`);
    await locateEngine(env);
    assert.equal(await readFile(asked, "utf8"), "x\nx\n");
  });

  it("says the version that it was found by, when it is the real one", requires("engine"), async () => {
    const { command, version } = await locateEngine();
    assert.equal(await askVersion(command), version);
    assert.ok(isFit(version));
  });

  async function program(path: string, script: string): Promise<string> {
    return programAt(join(folder, path), script);
  }
});

describe("a fitting version", () => {
  const table: readonly [string, string, boolean][] = [
    ["3.259.0", "3.259.0", true],
    ["3.259.7", "3.259.0", true],
    ["3.259.0", "3.259.1", false],
    ["3.260.0", "3.259.0", false],
    ["3.258.9", "3.259.0", false],
    ["4.259.0", "3.259.0", false],
    ["3.259.1-alpha.2", "3.259.0", true],
    ["nonsense", "3.259.0", false],
  ];
  for (const [version, wanted, expected] of table) {
    it(`${version} ${expected ? "serves" : "does not serve"} an SDK of ${wanted}`, () => {
      assert.equal(isFit(version, wanted), expected);
    });
  }
});

async function programAt(path: string, script: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}
