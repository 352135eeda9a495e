/** What Stackling leans on goes away and comes back: nothing is lost, everything goes on by itself. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { StacklingError } from "../../components/errors.ts";
import { locateEngine, sdkVersion } from "../../infra/engine.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { requires } from "../support/requires.ts";
import { type Deliveries, openDeliveries, synchronized } from "./support/deliveries.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { freezeServer } from "./support/servers.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { dial } from "./support/visitor.ts";

const MAIN = fileURLToPath(new URL("../../service/main.ts", import.meta.url));

describe("an outage", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  let deliveries: Deliveries;
  let folder: string;
  let engine: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-outages-"));
    await chmod(folder, 0o711);
    engine = join(folder, "pulumi");
    await symlink((await locateEngine()).command, engine);
    const environment = { STACKLING_ENGINE: engine };
    world = await prepareGithubWorld({ files: tinyApp({ text: "main" }), environment });
    await world.instance.start({ config: world.config({ resync: "2s" }) });
    deliveries = openDeliveries(world.instance.port);
    const { headSha } = await world.github.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    await live(1, headSha);
  });
  after(async () => {
    deliveries.close();
    await world.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const live = (number: number, headSha: string) =>
    world.instance.waitFor(`shop#${number}`, (p) => p.reason === "Healthy" && p.commit === headSha, "live");
  const readyz = async () => {
    const { status, text } = await dial(world.instance.port, { path: "/readyz" });
    return { status, ...(JSON.parse(text) as { ready: boolean; away: string[]; reasons: object }) };
  };
  const away = (name: string, reason: string) =>
    eventually(async () => {
      const answer = await readyz();
      assert.deepEqual(answer, { status: 503, ready: false, away: [name], reasons: { [name]: reason } });
      return true;
    });
  const doctorSays = async (start: RegExp) => {
    const { findings } = await world.instance.client.doctor();
    const found = findings.find(({ what }) => start.test(what));
    assert.deepEqual([found?.ok, typeof found?.remedy], [false, "string"], JSON.stringify(findings));
  };
  const ready = () => eventually(async () => (await readyz()).status === 200, { what: "/readyz" });
  const serves = async (text: string) => {
    const page = await world.instance.get(`http://pr-1-shop.localhost:${world.instance.port}`);
    assert.equal(page.status, 200);
    assert.ok(page.text.startsWith(text), page.text);
  };

  it("of the store refuses deliveries and calls with 503, serves on and is made up for", async () => {
    const { github, instance } = world;
    await ready();
    const thaw = await freezeServer(instance.dataDir, "store");
    try {
      await serves("cart");
      const [answer, listed] = await Promise.all([
        deliveries.send({ body: synchronized(1) }),
        instance.client.list().then(
          () => "answered",
          (error: unknown) => error,
        ),
        away("store", "StoreUnavailable"),
        doctorSays(/^StoreUnavailable \(store\)/),
      ]);
      assert.equal(answer.status, 503);
      assert.ok(listed instanceof StacklingError, String(listed));
      assert.equal(listed.reason, "StoreUnavailable");
      await serves("cart");
    } finally {
      thaw();
    }
    await ready();
    const pushed = await github.push(1, { "text.txt": "basket" });
    await live(1, pushed);
    await serves("basket");
  });

  it("of the store in the middle of an update ends with the newest commit", async () => {
    const { github, instance } = world;
    const pushed = await github.push(1, { "text.txt": "trolley" });
    await instance.waitFor("shop#1", (p) => p.condition === "Reconciling", "updating");
    const thaw = await freezeServer(instance.dataDir, "store");
    try {
      await away("store", "StoreUnavailable");
      await serves("");
    } finally {
      thaw();
    }
    await live(1, pushed);
    await serves("trolley");
  });

  it("of the previews' databases is shown on the preview and heals", async () => {
    const { github, instance } = world;
    const thaw = await freezeServer(instance.dataDir, "previews");
    let opened: { number: number; headSha: string };
    try {
      opened = await github.open({ gitBranch: "late", files: { "text.txt": "late" } });
      await away("previews", "DatabaseFailed");
      await doctorSays(/^DatabaseFailed \(previews\)/);
      const shown = await instance.waitFor(`shop#${opened.number}`, (p) => p.condition === "Stalled", "stalled");
      assert.equal(shown.reason, "DatabaseFailed");
      assert.match(shown.message, /database/);
    } finally {
      thaw();
    }
    await ready();
    await live(opened.number, opened.headSha);
  });

  it("of the forge is shown by /readyz and passes", async () => {
    const mend = world.github.fail({ path: /^\/repos\/acme\/shop$/, status: 502 });
    try {
      // Its last good answer counts for a while.
      await eventually(async () => (await readyz()).away.join() === "forge:github", { timeoutMs: 60_000 });
      await serves("trolley");
    } finally {
      mend();
    }
    await ready();
  });

  it("of the engine is shown on the preview and heals", async () => {
    const { github, instance } = world;
    await rename(engine, `${engine}.away`);
    let pushed: string;
    try {
      await away("engine", "EngineMissing");
      pushed = await github.push(1, { "text.txt": "pram" });
      const shown = await instance.waitFor("shop#1", (p) => p.condition === "Stalled", "stalled");
      assert.equal(shown.reason, "EngineFailed");
      assert.match(shown.message, /engine/i);
      await serves("trolley");
    } finally {
      await rename(`${engine}.away`, engine);
    }
    await ready();
    await live(1, pushed);
    await serves("pram");
  });

  describe("at the start", () => {
    before(() => writeFile(join(folder, "says-version"), `#!/bin/sh\necho v${sdkVersion()}\n`, { mode: 0o755 }));

    const serve = async (dataDir: string, { port = 0, uid }: { port?: number; uid?: number } = {}) => {
      const args = [MAIN, "serve", "--data", dataDir, "--port", String(port || (await freePort()))];
      // Anybody may run this one; it is asked for its version and nothing else.
      const env = { ...process.env, STACKLING_ENGINE: join(folder, "says-version"), HOME: folder };
      const identity = uid === undefined ? {} : { uid, gid: uid };
      const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], ...identity });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += String(text)));
      const [code] = (await once(child, "close")) as [number | null];
      return { code, lines: said.trim().split("\n") };
    };
    const tree = async (path: string) =>
      (await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
    const refused = async (dataDir: string, options: Parameters<typeof serve>[1], why: RegExp) => {
      const before = await tree(dataDir);
      const { code, lines } = await serve(dataDir, options);
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(lines[0] ?? "", why);
      assert.equal(code, 2);
      assert.deepEqual(await tree(dataDir), before);
    };

    it("a taken port is refused in one line, and nothing is made", async () => {
      const dataDir = join(folder, "port");
      await refused(dataDir, { port: world.instance.port }, new RegExp(`port ${world.instance.port}: another program`));
      await assert.rejects(readdir(dataDir));
    });

    it("a data folder of another version is refused in one line and left alone", async () => {
      const dataDir = join(folder, "version");
      await mkdir(dataDir);
      const text = JSON.stringify({ version: 99, token: "t" });
      await writeFile(join(dataDir, "instance.json"), text);
      await refused(dataDir, {}, /version 99.*--data/);
      assert.equal(await readFile(join(dataDir, "instance.json"), "utf8"), text);
    });

    it("a data folder that is no data folder is refused in one line and left alone", async () => {
      const dataDir = join(folder, "home");
      await mkdir(join(dataDir, "Documents"), { recursive: true });
      await refused(dataDir, {}, /holds "Documents".*--data/);
    });

    it("a read-only data folder is refused in one line", async () => {
      const dataDir = join(folder, "read-only");
      await mkdir(dataDir, { mode: 0o555 });
      // Nothing is read-only for root.
      await refused(dataDir, process.getuid?.() === 0 ? { uid: 65_534 } : {}, /cannot be written.*--data/);
    });

    it("a data folder in use is refused in one line that names who uses it", async () => {
      const { instance } = world;
      const pid = instance.pid();
      const { code, lines } = await serve(instance.dataDir);
      assert.deepEqual([code, lines.length], [2, 1], lines.join("\n"));
      assert.match(lines[0] ?? "", new RegExp(`in use by .*process ${pid}`));
      await serves("pram");
    });
  });
});
