import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { defaultDataDir } from "../../../service/embedded/data-dir.ts";
import { isRunning, openInstance, readInstance } from "../../../service/embedded/instance.ts";
import { refuseTakenPort } from "../../../service/embedded/port.ts";
import { WrongUse } from "../../../service/wrong-use.ts";

describe("the data folder of an instance", () => {
  let root: string;
  let dataDir: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "stackling-instance-"));
    dataDir = join(root, "data");
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const refused = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof WrongUse);
    assert.match(error.userMessage, message);
    assert.ok(!error.userMessage.includes("\n"), "one line");
    return true;
  };

  it("is private, and keeps its token and name for the next start", async () => {
    const first = await openInstance(dataDir);
    await first.publish({ url: "http://localhost:4000", port: 4000 });
    assert.equal((await stat(join(dataDir, "instance.json"))).mode & 0o777, 0o600);
    const running = await readInstance(dataDir);
    assert.equal(running?.url, "http://localhost:4000");
    assert.ok(running && (await isRunning(running)));
    await first.close();
    const second = await openInstance(dataDir);
    assert.equal(second.token, first.token);
    assert.equal(second.instanceId, first.instanceId);
    await second.close();
  });

  it("is refused while another process uses it, and free again when that was killed", async () => {
    const module = new URL("../../../service/embedded/instance.ts", import.meta.url).href;
    const program = `const { openInstance } = await import(${JSON.stringify(module)}); await openInstance(process.argv[1]); console.log("open"); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ["--input-type=module", "--eval", program, dataDir], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(other.stdout, "data");
      const before = await readFile(join(dataDir, "instance.json"), "utf8");
      await assert.rejects(
        openInstance(dataDir),
        refused(new RegExp(`in use by another Stackling \\(process ${other.pid}`)),
      );
      assert.equal(await readFile(join(dataDir, "instance.json"), "utf8"), before);
    } finally {
      const ended = once(other, "exit");
      other.kill("SIGKILL");
      await ended;
    }
    await (await openInstance(dataDir)).close();
  });

  it("is refused untouched when it is of another version", async () => {
    await (await openInstance(dataDir)).close();
    const file = join(dataDir, "instance.json");
    await writeFile(file, JSON.stringify({ version: 99, token: "t", instanceId: "i" }));
    await assert.rejects(openInstance(dataDir), refused(/is of version 99/));
    assert.match(await readFile(file, "utf8"), /99/);
  });

  it("is refused untouched when it holds something else", async () => {
    await writeFile(join(root, "letter.txt"), "dear");
    await assert.rejects(openInstance(root), refused(/holds "letter\.txt" and is no data folder/));
    assert.deepEqual(await readdir(root), ["letter.txt"]);
    await assert.rejects(openInstance(join(root, "letter.txt", "data")), refused(/no folder|cannot be/));
  });

  it("is refused when it cannot be written", {
    skip: process.getuid?.() === 0 && "root may write everywhere",
  }, async () => {
    await chmod(root, 0o500);
    await assert.rejects(openInstance(dataDir), refused(/cannot be written/));
    await chmod(root, 0o700);
  });

  it("is one per user by the XDG rules, and /var/lib/stackling for root", () => {
    assert.equal(defaultDataDir({ isRoot: true, environment: { XDG_DATA_HOME: "/x" } }), "/var/lib/stackling");
    assert.equal(defaultDataDir({ isRoot: false, environment: { XDG_DATA_HOME: "/x" } }), "/x/stackling");
    assert.match(
      defaultDataDir({ isRoot: false, environment: { XDG_DATA_HOME: "relative" } }),
      /\.local\/share\/stackling$/,
    );
  });

  it("comes after the port: a taken one is refused in one line", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await assert.rejects(refuseTakenPort("127.0.0.1", port), refused(/another program uses it/));
    await new Promise((resolve) => taken.close(resolve));
    await refuseTakenPort("127.0.0.1", port);
  });
});
