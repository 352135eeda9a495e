/** Updates that never end by themselves: they are ended within their limits, and the newest wish is applied. */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { enginesOn } from "../../chaos/replicas/processes.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { createGate, type Gate } from "./support/gate.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { isLiving } from "./support/process-tree.ts";
import { tinyApp } from "./support/tiny-app.ts";

const BUILT = `
build: node build.mjs
services:
  web: { command: node server.mjs, health: /health }
database: { migrate: node migrate.mjs }
`;

describe("an update that hangs", requires("engine", "postgres"), () => {
  let repository: TestRepository;
  let instance: Instance;
  before(async () => {
    repository = await createRepository({
      files: { ...tinyApp({ text: "main" }), "preview.yaml": BUILT, "build.mjs": "" },
    });
    instance = await prepareInstance({
      config: (port) => `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: hung }\n`,
      runnerLimits: { silenceMs: 15_000, killMs: 2_000 },
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  it("is ended when it reports nothing for too long, and the next push is served", async (test) => {
    const gate = await gateFor(test);
    await repository.commit("silent", { "build.mjs": gate.program });
    const stalled = await instance.waitForBranch("silent", ({ condition }) => condition === "Stalled", "ended");
    assert.equal(stalled.reason, "EngineTimedOut");
    assert.deepEqual(await enginesOn(stalled.stack, instance.dataDir), []);
    await healed(stalled);
  });

  it("with an engine that ignores SIGINT is killed with it, and the next push is served", async (test) => {
    const gate = await gateFor(test);
    await repository.commit("deaf", { "build.mjs": gate.program });
    await gate.reached();
    const { stack, key } = await instance.waitForBranch("deaf", () => true, "there");
    const [engine] = await enginesOn(stack, instance.dataDir);
    // One that stands still hears nothing but SIGKILL.
    process.kill(engine?.pid ?? 0, "SIGSTOP");
    const stalled = await instance.waitFor(key, ({ condition }) => condition === "Stalled", "ended");
    assert.equal(stalled.reason, "EngineTimedOut");
    await eventually(async () => !(await isLiving(engine?.pid ?? 0)), { what: "the end of the engine" });
    await healed(stalled);
  });

  async function healed({ key, stack, gitBranch }: PreviewView): Promise<void> {
    const pushed = await repository.commit(gitBranch, { "build.mjs": "", "text.txt": "healed" });
    const live = await instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === pushed, "live");
    assert.match((await instance.get(live.url ?? "")).text, /^healed /);
    assert.deepEqual((await instance.client.drift(key)).differences, []);
    await repository.deleteBranch(gitBranch);
    await instance.waitFor(key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
  }
});

async function gateFor(test: TestContext): Promise<Gate> {
  const gate = await createGate();
  test.after(() => gate.remove());
  return gate;
}
