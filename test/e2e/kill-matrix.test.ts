/** SIGKILL of the service before each step of a reconcile; started again, it must end where it would have ended. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { askOracle } from "../../chaos/oracle/report.ts";
import { STEPS, type Step } from "../../service/reconcile.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";

/** Steps of an opening, of a nap and of a close; together they are all of them. */
const OPENING = [
  ...(["find", "read", "record", "lease", "mark", "source"] as const),
  ...(["up", "checks", "settle", "announce", "commands"] as const),
] as const;
const NAP = ["sleep", "wake"] as const;
const CLOSING = ["destroy", "prove", "receipt"] as const;

describe("a service killed at a step of a reconcile", requires("engine", "postgres"), () => {
  let repository: TestRepository;
  let instance: Instance;

  before(async () => {
    const files = tinyApp({ text: "main" });
    const checked = `${files["preview.yaml"]}smoke: [/]\n`;
    repository = await createRepository({ files: { ...files, "preview.yaml": checked } });
    instance = await prepareInstance({
      config: (port) =>
        `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: app }\nlifecycle: { resync: 2s }\n`,
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  /** Kills it when `act` makes it reach the step, and starts it again. */
  const killed = async (step: Step, key: string, act: () => Promise<unknown>) => {
    await instance.arm({ step, key, occurrence: 1 });
    // The kill may come before the answer to what led to it.
    await act().catch(() => {});
    await instance.died();
    await instance.start();
  };

  it("is tried at every step there is", () => {
    assert.deepEqual(([...OPENING, ...NAP, ...CLOSING] as Step[]).toSorted(), STEPS.toSorted());
  });

  OPENING.forEach((step, index) => {
    it(`brings the preview up all the same, before "${step}"`, async () => {
      const key = `app#${index + 1}`;
      let sha = "";
      await killed(step, key, async () => {
        sha = await repository.commit(`open-${step}`, { "text.txt": step });
      });
      const { url = "" } = await instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === sha, "live");
      await served(instance, url, `${step} ${sha}`);
    });
  });

  NAP.forEach((step) => {
    it(`ends as it was told, before "${step}"`, async () => {
      const key = "app#1";
      const { url = "" } = await instance.waitFor(key, (p) => p.awake && p.reason === "Healthy", "awake");
      if (step === "wake") await asleep(instance, key);
      await killed(step, key, () => instance.client.act(key, { action: step }));
      if (step === "sleep") {
        await instance.waitFor(key, (p) => !p.awake, "asleep");
        await instance.client.act(key, { action: "wake" });
      }
      await instance.waitFor(key, (p) => p.awake && p.reason === "Healthy", "awake again");
      await served(instance, url, "find ");
    });
  });

  CLOSING.forEach((step, index) => {
    it(`leaves nothing all the same, before "${step}"`, async () => {
      const key = `app#${index + 1}`;
      const { stack } = await instance.waitFor(key, (p) => p.reason === "Healthy", "live");
      await killed(step, key, () => repository.deleteBranch(`open-${OPENING[index]}`));
      await instance.waitFor(key, (p) => p.stage === "Gone", "gone");
      assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack }), []);
    });
  });

  it("has lost nothing and left nothing over all these lives", async () => {
    const { dataDir, port } = instance;
    const repositories = [{ kind: "local" as const, name: "app", path: repository.path }];
    const { orphans, lost, stuck, looked } = await askOracle({ dataDir, port, repositories }, { withinMs: 60_000 });
    assert.deepEqual([...orphans, ...lost, ...stuck], []);
    assert.equal(looked["open pull request"], OPENING.length - CLOSING.length);
    assert.equal(looked["closed pull request"], CLOSING.length);
  });

  it("has reached every step on the list and no other", () => {
    const reached = new Set(instance.steps.map(({ step }) => step));
    assert.deepEqual([...reached].toSorted(), STEPS.toSorted());
  });
});

async function asleep(instance: Instance, key: string): Promise<void> {
  await instance.client.act(key, { action: "sleep" });
  await instance.waitFor(key, (p) => !p.awake, "asleep");
}

async function served(instance: Instance, url: string, text: string): Promise<void> {
  await eventually(
    async () => {
      const page = await instance.get(url);
      assert.equal(page.status, 200);
      assert.ok(page.text.startsWith(text), `"${page.text}" begins with "${text}"`);
      return true;
    },
    { timeoutMs: 30_000, what: `${url} serves "${text}"` },
  );
}
