import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { EMULATORS, emulatorFolder } from "../../../components/local/emulators.ts";
import { layout } from "../../../components/local/layout.ts";

describe("emulators of services of others", () => {
  let dataDir: string;
  before(async () => {
    dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-emulators-")));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  it("are made once, by however many ask at a time, for everybody to read", async () => {
    const folders = await Promise.all([1, 2, 3].map(() => emulatorFolder(dataDir)));
    assert.equal(new Set(folders).size, 1);
    assert.deepEqual(await readdir(layout(dataDir).runtime), [folders[0]?.split("/").at(-1)]);
    assert.equal((await stat(join(folders[0] ?? "", "main.mjs"))).mode & 0o004, 0o004);
  });

  it("need nothing but Node, and end when they are told to", async () => {
    const folder = await emulatorFolder(dataDir);
    const environment = { PATH: process.env.PATH, PORT: "0", [EMULATORS]: folder };
    const child = spawn(process.execPath, [join(folder, "main.mjs"), "stripe"], { cwd: folder, env: environment });
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
      assert.match(line, /^emulating stripe at http:\/\/localhost:\d+$/);
      const url = line.split(" ").at(-1)?.replace("localhost", "127.0.0.1");
      const headers = { authorization: "Bearer sk_test_any" };
      assert.equal((await fetch(`${url}/v1/customers`, { headers })).status, 200);
    } finally {
      child.kill("SIGTERM");
    }
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
  });
});
