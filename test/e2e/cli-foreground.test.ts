/** What stays in the foreground: its start, its Ctrl-C, and what it leaves, with the real program in processes of its own. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type CommandLine, prepareCommandLine, processesOn, type Run } from "./support/command-line.ts";
import { visitorOf } from "./support/visitor.ts";

const needs = requires("engine", "postgres");

describe("stackling serve without a config", needs, () => {
  let cli: CommandLine;
  let port: number;
  let first: readonly PreviewView[];

  before(async () => {
    cli = await prepareCommandLine();
    port = await freePort();
  });
  after(() => cli.remove());

  it("prints links of the example's pull requests that give the shop, each on its own database", async () => {
    const service = cli.start("serve", "--port", String(port));
    const [, link = ""] = await service.says(/live\s+(http:\/\/pr-1-shop\.localhost:\d+)/);
    assert.equal(link, `http://pr-1-shop.localhost:${port}`);
    await service.says(/pr-2-shop/);
    await service.says(/pr-3-shop/);
    const page = await visitorOf(link).get("/");
    assert.equal(page.status, 200);
    assert.match(page.text, /<html/);
    first = lines<PreviewView>(await cli.run("ls", "--json"));
    assert.equal(first.length, 3);
    assert.equal(new Set(first.map(({ database }) => database)).size, 3);
  });

  it("ends every service and both Postgres servers on a Ctrl-C that comes twice, as under npm", async () => {
    const service = cli.start("serve", "--port", String(await freePort()));
    assert.equal((await service.ended()).code, 2, "another may not use the folder meanwhile");
    const pid = Number(/process (\d+)/.exec(service.said.stderr)?.[1]);
    process.kill(pid, "SIGINT");
    process.kill(pid, "SIGINT");
    await nothingRuns(cli.dataDir);
  });

  it("comes back to the same state at the next start", async () => {
    const service = cli.start("serve", "--port", String(port));
    await service.says(/live\s+http/);
    const again = lines<PreviewView>(await cli.run("ls", "--json"));
    const state = ({ key, url, commit, database, condition }: PreviewView) => ({
      key,
      url,
      commit,
      database,
      condition,
    });
    assert.deepEqual(again.map(state), first.map(state));
    for (const { url = "" } of again) assert.equal((await visitorOf(url).get("/")).status, 200);
  });

  it("leaves its services running when it is killed, and stackling stop ends them", async () => {
    const { pid } = JSON.parse(await readFile(join(cli.dataDir, "instance.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    const [link = ""] = first.map(({ url }) => url);
    const stop = await cli.run("stop");
    assert.equal(stop.code, 0, stop.stderr);
    assert.match(stop.stdout, /a crashed service left on .*: 12 services, the Postgres server "store", the Postgres/);
    await nothingRuns(cli.dataDir);
    const service = cli.start("serve", "--port", String(port));
    await service.says(/live\s+http/);
    assert.equal((await visitorOf(link).get("/")).status, 200);
  });

  it("is stopped by stackling stop, which says what it ended", async () => {
    const { code, stdout } = await cli.run("stop");
    assert.equal(code, 0);
    assert.match(stdout, /process \d+, 12 services, both Postgres servers; the next start brings 3 previews back/);
    await nothingRuns(cli.dataDir);
    assert.match((await cli.run("stop")).stdout, /no service is running/);
  });
});

describe("stackling demo", needs, () => {
  let cli: CommandLine;

  before(async () => {
    cli = await prepareCommandLine();
  });
  after(() => cli.remove());

  it("prints exactly its six steps, exits 0 and leaves nothing behind", async () => {
    const run = await cli.run("demo", "--once", "--json");
    assert.equal(run.code, 0, run.stderr);
    const steps = lines<{ step: string; ms: number; url?: string }>(run);
    assert.deepEqual(
      steps.map(({ step }) => step),
      ["opened", "live", "pushed", "updated", "closed", "gone"],
    );
    assert.ok(steps.every(({ ms }) => Number.isInteger(ms) && ms >= 0));
    assert.match(steps[1]?.url ?? "", /^http:\/\/pr-1-shop\.localhost:\d+$/);
    assert.equal(steps[3]?.url, steps[1]?.url);
    await nothingIsLeft();
  });

  it("leaves nothing behind when it is interrupted while a preview is made", async () => {
    const demo = cli.start("demo", "--once", "--json");
    await demo.says(/"step":"opened"/);
    demo.signal("SIGINT");
    await demo.ended();
    await nothingIsLeft();
  });

  it("leaves nothing behind when it is interrupted while it starts", async () => {
    const demo = cli.start("demo");
    await demo.complains(/Postgres/);
    demo.signal("SIGINT");
    assert.equal((await demo.ended()).code, 0);
    await nothingIsLeft();
  });

  async function nothingIsLeft(): Promise<void> {
    assert.deepEqual(await readdir(cli.temporary), []);
    assert.deepEqual(await processesOn(cli.temporary), []);
  }
});

describe("stackling up with no service running", needs, () => {
  let cli: CommandLine;
  let repository: TestRepository;

  before(async () => {
    cli = await prepareCommandLine();
    repository = await createRepository({ files: { "index.html": "<h1>By hand</h1>" } });
  });
  after(async () => {
    await cli.remove();
    await repository.remove();
  });

  it("serves the repository in the foreground until Ctrl-C", async () => {
    const port = await freePort();
    const up = cli.start("up", repository.path, "--json", "--port", String(port));
    const [line] = await up.says(/^.*\n/);
    const { key, url, condition, reason } = JSON.parse(line) as PreviewView;
    assert.deepEqual([key, condition, reason], ["work@main", "Ready", "Healthy"]);
    assert.match((await visitorOf(url ?? "").get("/")).text, /By hand/);
    up.signal("SIGINT");
    const run = await up.ended();
    assert.equal(run.code, 0);
    assert.equal(run.stdout, line);
    await nothingRuns(cli.dataDir);
  });
});

function lines<T>({ stdout }: Run): T[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

/** Nothing that names the data folder lives; whoever was told to stop gets its time. */
async function nothingRuns(dataDir: string): Promise<void> {
  await eventually(async () => (await processesOn(dataDir)).length === 0, {
    what: `nothing to run on ${dataDir}; ${(await processesOn(dataDir)).join("\n")}`,
  });
}
