/** A preview's whole life with the real clock, and a house that stays clean, as a person sees both through the CLI. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { withClient } from "../../components/local/database-client.ts";
import { formatMarker, previewDatabaseName } from "../../components/local/database-names.ts";
import { OWNER_MARK } from "../../components/local/environment.ts";
import { layout } from "../../components/local/layout.ts";
import { locateEngine } from "../../infra/engine.ts";
import { PROJECT } from "../../infra/names.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import type { SweepReport } from "../../service/sweep/report.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { findServer } from "./support/servers.ts";
import { tinyApp } from "./support/tiny-app.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/stackling.mjs", import.meta.url));

describe("a house that is kept clean", requires("engine", "postgres"), () => {
  let app: TestRepository;
  let quick: TestRepository;
  let instance: Instance;
  const strays: ChildProcess[] = [];

  before(async () => {
    app = await createRepository({ files: tinyApp({ text: "main" }) });
    quick = await createRepository({ files: tinyApp({ text: "main" }) });
    instance = await prepareInstance({
      config: (port) =>
        [
          `port: ${port}`,
          "repositories:",
          `  - { path: ${app.path}, name: app, limits: { previews: 2 } }`,
          `  - { path: ${quick.path}, name: quick, lifecycle: { sleepAfter: 5s, warnAfter: 15s, destroyAfter: 22s } }`,
          "lifecycle: { resync: 2s }",
          "fallbackUrl: https://staging.example",
          "",
        ].join("\n"),
    });
    await instance.start();
  });
  after(async () => {
    for (const stray of strays) stray.kill("SIGKILL");
    await instance.remove();
    await app.remove();
    await quick.remove();
  });

  const stackling = async (...args: readonly string[]) => {
    const { stdout } = await execa(process.execPath, [PROGRAM, ...args, "--data", instance.dataDir]);
    return stdout;
  };
  const json = async <T>(...args: readonly string[]) => JSON.parse(await stackling(...args, "--json")) as T;
  const isHealthy = ({ reason, awake }: PreviewView) => reason === "Healthy" && awake;
  const opened = async (branch: string) => {
    await app.commit(branch, { "text.txt": branch });
    return instance.waitForBranch(branch, isHealthy, "live");
  };

  it("lives a preview's life by the clock: asleep, woken by a visit, warned once, gone with a receipt, unless kept", async () => {
    await quick.commit("kept", { "text.txt": "kept" });
    const { key: kept } = await instance.waitForBranch("kept", isHealthy, "live");
    await stackling("keep", kept);
    // Opened only now: its life passes in seconds, and a busy machine's CLI takes as long.
    await quick.commit("short", { "text.txt": "short" });
    const live = await instance.waitForBranch("short", isHealthy, "live");
    const { key, stack, url = "" } = live;
    assert.equal(live.stage, "Active");
    await instance.waitFor(key, (p) => p.stage === "Asleep", "asleep");
    const { status, text } = await instance.get(url);
    assert.deepEqual([status, text.slice(0, 5)], [200, "short"]);
    await instance.waitFor(key, isHealthy, "awake again");
    const { goesAt } = await instance.waitFor(key, (p) => p.stage === "Idle", "warned");
    assert.ok(goesAt, "says when it goes");
    await instance.waitFor(key, (p) => p.stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
    assert.match(await stackling("show", key), /Nobody had used it/);
    // Nobody came to see it, ever.
    assert.equal((await json<PreviewView>("show", kept)).stage, "Asleep");
    await quick.deleteBranch("kept");
    await instance.waitFor(kept, (p) => p.stage === "Gone", "gone");
  });

  it("lets what a cap holds back wait with its place, and builds it when there is room", async () => {
    const [one] = [await opened("one"), await opened("two")];
    await app.commit("three", { "text.txt": "three" });
    await instance.waitForBranch(
      "three",
      (p) => p.reason === "Queued" && /^First in the queue/.test(p.message),
      "queued",
    );
    await stackling("sleep", one.key);
    const third = await instance.waitForBranch("three", isHealthy, "live");
    assert.equal(third.commit, await app.head("three"));
    await app.deleteBranch("three");
    await instance.waitFor(third.key, (p) => p.stage === "Gone", "gone");
    await stackling("wake", one.key);
    await instance.waitFor(one.key, isHealthy, "awake");
  });

  it("stays stopped across a SIGKILL, offers the fallback, and comes back with resume-all", async () => {
    const keys = (await instance.client.list()).map(({ key }) => key);
    assert.equal(keys.length, 2);
    await stackling("stop-all");
    await instance.kill();
    await instance.start();
    for (const key of keys) await instance.waitFor(key, (p) => !p.awake, "asleep");
    await app.commit("late", { "text.txt": "late" });
    const late = await instance.waitForBranch("late", (p) => p.reason === "Paused", "held back");
    assert.match(await stackling("ls"), /stopped/i);
    const page = await instance.get(`http://pr-${late.number}-app.localhost:${instance.port}`);
    assert.equal(page.status, 503);
    assert.match(page.text, /staging\.example/);
    await app.deleteBranch("late");
    const { key: edited, stack } = await instance.client.find(keys[0] ?? "");
    const { url } = await findServer(instance.dataDir, "previews");
    await withClient(url, (client) => client.query(`DROP DATABASE ${previewDatabaseName(stack)} WITH (FORCE)`));
    const unrepaired = { exitCode: 1, stdout: /"repaired":false/ };
    await assert.rejects(stackling("drift", edited, "--repair", "--json"), unrepaired);
    await stackling("resume-all");
    for (const key of keys) await instance.waitFor(key, isHealthy, "awake again");
  });

  it("names a stray stack, process and database in a dry run, and removes them and nothing else", async () => {
    const stack = "app-pr-403";
    await pulumi("stack", "init", `organization/${PROJECT}/${stack}`);
    const marked = "app-pr-404";
    const child = spawn("/bin/sleep", ["600"], {
      env: { [OWNER_MARK]: layout(instance.dataDir).preview(marked).release("web").folder },
      stdio: "ignore",
      detached: true,
    });
    child.unref();
    strays.push(child);
    const ended = once(child, "exit");
    const { url } = await findServer(instance.dataDir, "previews");
    const name = previewDatabaseName(marked);
    await withClient(url, async (client) => {
      await client.query(`CREATE ROLE ${name}`);
      const marker = formatMarker({ stack: marked, generation: 0, id: "by-hand", complete: true });
      await client.query(`COMMENT ON ROLE ${name} IS '${marker}'`);
      await client.query(`CREATE DATABASE ${name} OWNER ${name}`);
      await client.query("CREATE DATABASE somebodys");
    });
    const left = "app-pr-405";
    const history = join(layout(instance.dataDir).state, ".pulumi/history/stackling", left);
    await mkdir(history, { recursive: true });
    await writeFile(join(history, `${left}-1.history.json`), "{}");

    const named = await json<SweepReport>("sweep", "--dry-run");
    assert.deepEqual(named.found.map((stray) => stray.stack).sort(), [stack, marked, left].sort());
    const byHand = named.found.find((stray) => stray.stack === marked)?.things.map(({ kind }) => kind);
    assert.deepEqual(byHand?.sort(), ["database", "process", "role"]);
    assert.equal(named.found.find((stray) => stray.stack === stack)?.hasStack, true);
    assert.deepEqual(named.removed, []);

    const swept = await json<SweepReport>("sweep");
    assert.deepEqual([[...swept.removed].sort(), swept.failed], [[stack, marked, left].sort(), []]);
    assert.equal(existsSync(history), false);
    await ended;
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
    assert.deepEqual((await json<SweepReport>("sweep", "--dry-run")).found, []);
    for (const branch of ["one", "two"]) await instance.waitForBranch(branch, isHealthy, "still live");
    await withClient(url, (client) => client.query("DROP DATABASE somebodys"));
  });

  it("brings wishes back from a backup when the store is lost", async () => {
    const { key } = await instance.waitForBranch("one", isHealthy, "live");
    await stackling("keep", key);
    const file = join(instance.dataDir, "..", `${instance.port}.jsonl`);
    try {
      assert.match(await stackling("backup", file), /wrote \d+ rows/);
      await instance.stop();
      await rm(join(layout(instance.dataDir).postgres, "store"), { recursive: true });
      assert.match(await stackling("restore", file), /restored \d+ rows/);
      await instance.start();
      const back = await instance.waitFor(key, isHealthy, "live");
      assert.equal(back.kept, true);
    } finally {
      await rm(file, { force: true });
    }
  });

  /** The real CLI in a person's hand, on the instance's backend. */
  async function pulumi(...args: readonly string[]): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "stackling-person-"));
    const { state, passphrase, pulumiHome } = layout(instance.dataDir);
    try {
      await writeFile(join(folder, "Pulumi.yaml"), `name: ${PROJECT}\nruntime: nodejs\n`);
      await execa((await locateEngine()).command, args, {
        cwd: folder,
        env: {
          PULUMI_BACKEND_URL: `file://${state}`,
          PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
          PULUMI_HOME: pulumiHome,
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
});
