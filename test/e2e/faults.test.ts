/** What goes wrong in the middle: frozen and killed processes, somebody else's lock, things that vanish from the world. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { layout } from "../../components/local/layout.ts";
import { locateEngine } from "../../infra/engine.ts";
import { PROJECT } from "../../infra/names.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { createGate, type Gate } from "./support/gate.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { childrenOf, isLiving } from "./support/process-tree.ts";
import { shopApp } from "./support/shop-app.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { visitorOf } from "./support/visitor.ts";

describe("a preview in trouble", requires("engine", "postgres"), () => {
  let repository: TestRepository;
  let shop: TestRepository;
  let instance: Instance;

  before(async () => {
    repository = await createRepository({ files: tinyApp({ text: "main", build: "" }) });
    shop = await createRepository({ files: await shopApp() });
    instance = await prepareInstance({
      config: (port) =>
        [
          `port: ${port}`,
          "repositories:",
          `  - { path: ${repository.path}, name: hurt }`,
          `  - { path: ${shop.path}, name: hurtshop }`,
          "",
        ].join("\n"),
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
    await shop.remove();
  });

  it("gets exactly one more update when ten pushes come during one", async (test) => {
    const gate = await gateFor(test);
    await repository.commit("ten", { "build.mjs": gate.program });
    await gate.reached();
    const { key } = await instance.waitForBranch("ten", () => true, "there");
    let last = "";
    for (let push = 1; push <= 10; push++) {
      last = await repository.commit("ten", { "build.mjs": "", "text.txt": `push ${push}` });
      await instance.client.look(key);
    }
    await gate.open();
    const { url = "" } = await instance.waitFor(key, isLive(last), "at the last push");
    assert.match((await visitorOf(url).get("/")).text, /^push 10 /);
    assert.equal(instance.steps.filter((reached) => reached.step === "up" && reached.key === key).length, 2);
  });

  it("ends as gone when it is closed while it is created", async (test) => {
    const gate = await gateFor(test);
    await repository.commit("closing", { "build.mjs": gate.program });
    await gate.reached();
    const { key, stack } = await instance.waitForBranch("closing", () => true, "there");
    await repository.deleteBranch("closing");
    await instance.waitFor(key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
  });

  it("waits for a person's own pulumi and goes on when it is done", async (test) => {
    const live = await opened("locked");
    const pulumi = await startPulumi(test, instance.dataDir, [
      "refresh",
      "--yes",
      "--skip-preview",
      "--stack",
      live.stack,
    ]);
    const lock = await eventually(() => lockOf(live.stack));
    process.kill(pulumi.pid ?? 0, "SIGSTOP");
    const pushed = await repository.commit("locked", { "text.txt": "behind the lock" });
    const waiting = await instance.waitFor(live.key, ({ reason }) => reason === "StackLocked", "shown as locked");
    assert.match(waiting.message, new RegExp(`pid ${pulumi.pid}`));
    assert.equal(waiting.commit, live.commit);
    assert.match((await visitorOf(live.url ?? "").get("/")).text, /^locked /);
    assert.ok(existsSync(lock));

    process.kill(pulumi.pid ?? 0, "SIGCONT");
    const [code] = await once(pulumi, "exit");
    assert.equal(code, 0);
    await instance.waitFor(live.key, isLive(pushed), "updated");
  });

  it("is restarted, later each time, when its application dies", async () => {
    const live = await opened("mortal");
    const waits: number[] = [];
    for (const restarts of [1, 2]) {
      const before = await releaseOf(live.stack);
      const diedAt = Date.now();
      process.kill(-(before.processes.web?.pid ?? 0), "SIGKILL");
      const { restartAt } = await eventually(async () => {
        const state = await releaseOf(live.stack);
        return state.restartAt !== undefined && state;
      });
      waits.push(Date.parse(restartAt ?? "") - diedAt);
      const after = await eventually(async () => {
        const state = await releaseOf(live.stack);
        return state.restarts === restarts && state;
      });
      assert.notEqual(after.processes.web?.pid, before.processes.web?.pid);
      await eventually(async () => (await visitorOf(live.url ?? "").get("/")).status === 200);
    }
    const [first = 0, second = 0] = waits;
    assert.ok(second > first, `waits ${waits.join(" ms, ")} ms rise`);
  });

  it("shows a route that vanished as drift and makes it again", async () => {
    const live = await opened("routeless");
    assert.deepEqual((await instance.client.drift(live.key)).differences, []);
    await rm(layout(instance.dataDir).preview(live.stack).route("web"));
    const { differences } = await instance.client.drift(live.key);
    assert.deepEqual(
      differences.map(({ type, kind }) => [type, kind]),
      [["stackling:local:Route", "missing"]],
    );
    await instance.client.act(live.key, { action: "repair" });
    await eventually(async () => (await visitorOf(live.url ?? "").get("/")).text.startsWith("routeless "));
    await instance.waitFor(live.key, ({ reason }) => reason === "Healthy", "repaired");
    assert.deepEqual((await instance.client.drift(live.key)).differences, []);
  });

  it("sees that its database was dropped, and makes, migrates and seeds it again", async () => {
    const commit = await shop.commit("dropped", {});
    const live = await instance.waitForBranch("dropped", isLive(commit), "live");
    const before = await statusOf(live);
    const adminUrl = (await readFile(layout(instance.dataDir).previewsUrl, "utf8")).trim();
    await withClient(adminUrl, (client) => client.query(`DROP DATABASE "${before.database}" WITH (FORCE)`));
    const { differences } = await instance.client.drift(live.key);
    assert.ok(differences.some(({ type, kind }) => type === "stackling:local:Database" && kind === "missing"));
    await instance.client.act(live.key, { action: "repair" });
    const after = await eventually(async () => {
      const { status, text } = await visitorOf(live.url ?? "").get("/api/v1/status");
      return status === 200 && (JSON.parse(text) as ShopStatus);
    });
    assert.deepEqual(after, before);
    await instance.waitFor(live.key, ({ reason }) => reason === "Healthy", "repaired");
    assert.deepEqual((await instance.client.drift(live.key)).differences, []);
  });

  it("is built by the next service when the frozen runner of the last one wakes behind it", async (test) => {
    const gate = await gateFor(test);
    await repository.commit("frozen", { "build.mjs": gate.program });
    await gate.reached();
    const { key, stack } = await instance.waitForBranch("frozen", () => true, "there");
    const lock = JSON.parse(await readFile((await lockOf(stack)) ?? "", "utf8")) as { pid: number };
    const runner = await parentOf(lock.pid);
    const [dog] = await childrenOf(instance.pid(), `watchdog.ts ${runner} `);
    assert.ok(dog);
    for (const pid of [dog.pid, runner]) process.kill(pid, "SIGSTOP");
    test.after(() => endGroups(dog.pid, runner));
    process.kill(lock.pid, "SIGKILL");
    await instance.kill();

    const pushed = await repository.commit("frozen", { "build.mjs": "", "text.txt": "of the successor" });
    await instance.start();
    const live = await instance.waitFor(key, isLive(pushed), "live by the successor");
    const before = await traceOf(stack);
    await gate.open();
    process.kill(runner, "SIGCONT");
    await eventually(async () => !(await isLiving(runner)), { what: "the end of the frozen runner" });
    assert.deepEqual(await traceOf(stack), before);
    assert.match((await visitorOf(live.url ?? "").get("/")).text, /^of the successor /);
    assert.deepEqual((await instance.client.drift(key)).differences, []);
    process.kill(dog.pid, "SIGCONT");
    await eventually(async () => !(await isLiving(dog.pid)), { what: "the end of the watchdog" });
    assert.equal((await instance.waitFor(key, () => true, "there")).reason, "Healthy");
  });

  it("loses its engine to the watchdog when the whole service freezes, and heals when it thaws", async (test) => {
    const gate = await gateFor(test);
    const commit = await repository.commit("icy", { "build.mjs": gate.program });
    await gate.reached();
    const { key, stack } = await instance.waitForBranch("icy", () => true, "there");
    const lock = JSON.parse(await readFile((await lockOf(stack)) ?? "", "utf8")) as { pid: number };
    process.kill(instance.pid(), "SIGSTOP");
    test.after(() => void process.kill(instance.pid(), "SIGCONT"));
    await eventually(async () => !(await isLiving(lock.pid)), { what: "the end of the engine" });
    await gate.open();
    process.kill(instance.pid(), "SIGCONT");
    await instance.waitFor(key, isLive(commit), "live");
  });

  async function opened(gitBranch: string): Promise<PreviewView> {
    const commit = await repository.commit(gitBranch, { "text.txt": gitBranch });
    return instance.waitForBranch(gitBranch, isLive(commit), "live");
  }

  async function lockOf(stack: string): Promise<string | undefined> {
    const folder = join(layout(instance.dataDir).state, ".pulumi/locks/organization", PROJECT, stack);
    const [file] = await readdir(folder).catch(() => []);
    return file?.endsWith(".json") ? join(folder, file) : undefined;
  }

  /** Everything a writer behind its successor's back could have changed. */
  async function traceOf(stack: string) {
    const preview = layout(instance.dataDir).preview(stack);
    const state = join(layout(instance.dataDir).state, ".pulumi/stacks", PROJECT, `${stack}.json`);
    const folders = [preview.checkouts, preview.services, preview.routes];
    return {
      state: await readFile(state, "utf8"),
      lists: await Promise.all(folders.map(async (folder) => (await readdir(folder)).filter(isNoLock).toSorted())),
      route: await readFile(preview.route("web"), "utf8"),
      services: (await releaseOf(stack)).processes,
    };
  }

  async function releaseOf(stack: string): Promise<ReleaseView> {
    const preview = layout(instance.dataDir).preview(stack);
    const [id = "", ...more] = (await readdir(preview.services)).filter(isNoLock);
    assert.deepEqual(more, []);
    return JSON.parse(await readFile(preview.release(id).process, "utf8")) as ReleaseView;
  }
});

interface ReleaseView {
  readonly processes: Readonly<Record<string, { readonly pid: number } | undefined>>;
  readonly restarts: number;
  readonly restartAt?: string;
}

interface ShopStatus {
  readonly database: string;
  readonly products: number;
}

function isLive(commit: string): (preview: PreviewView) => boolean {
  return (preview) => preview.reason === "Healthy" && preview.commit === commit;
}

function isNoLock(file: string): boolean {
  // One that is being taken has more behind its name.
  return !file.includes(".lock");
}

async function statusOf({ url = "" }: PreviewView): Promise<ShopStatus> {
  return JSON.parse((await visitorOf(url).get("/api/v1/status")).text) as ShopStatus;
}

async function gateFor(test: TestContext): Promise<Gate> {
  const gate = await createGate();
  test.after(() => gate.remove());
  return gate;
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\t(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Runner and watchdog lead groups of their own. */
function endGroups(...leaders: readonly number[]): void {
  for (const pid of leaders) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Ended by itself.
    }
  }
}

/** The real CLI as a person runs it from a terminal of their own, without Stackling. */
async function startPulumi(test: TestContext, dataDir: string, args: readonly string[]): Promise<ChildProcess> {
  const root = join(import.meta.dirname, "../..");
  const folder = await mkdtemp(join(tmpdir(), "stackling-person-"));
  for (const name of ["Pulumi.yaml", "infra"]) await symlink(join(root, name), join(folder, name));
  const { command } = await locateEngine();
  const { state, passphrase, pulumiHome } = layout(dataDir);
  const child = spawn(command, args, {
    cwd: folder,
    stdio: "ignore",
    env: {
      PATH: [join(root, "bin"), dirname(process.execPath), dirname(command), process.env.PATH].join(delimiter),
      HOME: process.env.HOME,
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
      PULUMI_HOME: pulumiHome,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      STACKLING_DATA: dataDir,
    },
  });
  test.after(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  return child;
}
