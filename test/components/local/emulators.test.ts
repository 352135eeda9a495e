import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { EMULATORS, emulatorFolder } from "../../../components/local/emulators.ts";
import { layout } from "../../../components/local/layout.ts";

/** In the emulator itself. */
const EXAMPLE = "Test Customer";
const STRIPE = { authorization: "Bearer sk_test_any" };

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
    const { url, end } = await start("stripe");
    assert.equal((await fetch(`${url}/v1/customers`, { headers: STRIPE })).status, 200);
    assert.equal(await end(), 0);
  });

  it("begin with what they are given, from a file or from where they are named", async () => {
    const names = async (environment: Record<string, string>) => {
      const { url, end } = await start("stripe", environment);
      const answer = await fetch(`${url}/v1/customers`, { headers: STRIPE });
      await end();
      return ((await answer.json()) as { data: { name: string }[] }).data.map(({ name }) => name);
    };
    await writeFile(join(dataDir, "seed.yaml"), "stripe:\n  customers: [{name: Ada}]\n");
    assert.deepEqual(await names({ EMULATE_SEED_FILE: join(dataDir, "seed.yaml") }), ["Ada", EXAMPLE]);
    assert.deepEqual(await names({ EMULATE_SEED: '{"customers":[{"name":"Bob"}]}' }), ["Bob", EXAMPLE]);
  });

  it("do not start with a seed that cannot be read, and say which", async () => {
    const complaint = async (environment: Record<string, string>) => {
      const child = await spawned("stripe", environment);
      const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
      assert.equal(code, 1);
      return said.trim();
    };
    assert.equal(
      await complaint({ EMULATE_SEED_FILE: "none.yaml" }),
      'seeding stripe with "none.yaml": there is no such file in the commit',
    );
    assert.match(
      await complaint({ EMULATE_SEED: "[1]" }),
      /^seeding stripe with what preview\.yaml says: it must be a map$/,
    );
    await writeFile(join(dataDir, "broken.yaml"), "a: [");
    assert.match(
      await complaint({ EMULATE_SEED_FILE: join(dataDir, "broken.yaml") }),
      /^seeding stripe with ".*broken\.yaml": ./,
    );
  });

  async function spawned(service: string, environment: Record<string, string> = {}) {
    const folder = await emulatorFolder(dataDir);
    const env = { PATH: process.env.PATH, PORT: "0", [EMULATORS]: folder, ...environment };
    return spawn(process.execPath, [join(folder, "main.mjs"), service], { cwd: folder, env });
  }

  async function start(service: string, environment: Record<string, string> = {}) {
    const child = await spawned(service, environment);
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    assert.match(line, new RegExp(`^emulating ${service} at http://localhost:\\d+$`));
    const end = async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      return (await exited)[0] as number | null;
    };
    return { url: line.split(" ").at(-1)?.replace("localhost", "127.0.0.1"), end };
  }
});
