import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Forge } from "../../../service/forges/forge.ts";
import { NO_INTENTS } from "../../../service/intents.ts";
import { createStageSink } from "../../../service/stages/announce.ts";
import type { Preview } from "../../../service/status.ts";
import { startGithub, type TestGithub } from "../../support/emulate.ts";
import { aPreview } from "../../support/previews.ts";
import { silent } from "../../support/reconcile-world.ts";

const KEY = "shop:production";
const REPOSITORY = { name: "shop", path: "acme/shop" };

describe("a stage on GitHub", () => {
  let github: TestGithub;
  let forge: Forge;
  let first: string;
  let second: string;
  let kept: Preview;
  const store = {
    find: async () => kept,
    update: async (_key: string, change: (preview: Preview) => Partial<Preview>) => {
      kept = { ...kept, ...change(kept) };
      return kept;
    },
  };
  const url = "https://production-shop.preview.acme.dev";

  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" }, recording: true });
    forge = await github.connect("token");
    first = (await github.open({ gitBranch: "one", files: { "a.txt": "1" } })).headSha;
    second = (await github.open({ gitBranch: "two", files: { "a.txt": "2" } })).headSha;
  });
  after(() => github.stop());

  async function say(of: Partial<Preview["status"]>, intents: Partial<Preview["intents"]> = {}): Promise<string> {
    const { number: _none, ...preview } = aPreview({ urls: { web: url } });
    const status = { ...preview.status, ...of };
    kept = { ...preview, key: KEY, status, intents: { ...NO_INTENTS, ...intents }, handles: kept?.handles ?? {} };
    const config = { scheme: "https", domain: "preview.acme.dev" } as const;
    const place = { forge, repository: REPOSITORY };
    const sink = createStageSink({ forgeFor: () => place, store, config, logger: silent });
    const outcome = await sink.write(kept);
    return typeof outcome === "string" ? outcome : "held";
  }
  const promoted = (sha: string) => ({
    promoted: { sha, from: "staging", by: "@ana", at: "2026-11-22T10:00:00.000Z", approvals: [{ by: "@ben", at: "" }] },
  });
  const lastStatus = (sha: string) => github.records?.statuses(sha).at(-1);
  const deployments = () =>
    github.records?.deployments().map(({ sha, environment, states }) => [sha, environment, states.at(-1)]);

  it("is a deployment of the commit to its environment, with a status that says who promoted it", async () => {
    const ready = { condition: "Ready", reason: "Healthy", headSha: first } as const;
    assert.equal(await say(ready, promoted(first)), "written");
    assert.deepEqual(deployments(), [[first, "production", "success"]]);
    const { context, state, description } = lastStatus(first) ?? {};
    assert.deepEqual([context, state], ["stackling/shop/production", "success"]);
    assert.equal(description, `${first.slice(0, 7)} was promoted from "staging" by @ana, approved by @ben.`);
    assert.equal(await say(ready, promoted(first)), "same");
  });

  it("fails a version that it went back from, and leaves the one before active", async () => {
    const rolledBack = { sha: first, head: second, by: "itself", at: "2026-11-22T11:00:00.000Z" };
    const back = { condition: "Ready", reason: "Healthy", headSha: second } as const;
    await say(back, { ...promoted(second), rolledBack });
    assert.deepEqual(deployments(), [
      [first, "production", "success"],
      [second, "production", "failure"],
    ]);
    assert.equal(lastStatus(second)?.state, "failure");
    assert.match(lastStatus(second)?.description ?? "", /serves in its place: rolled back by itself/);
  });

  it("says nothing of what is no stage", async () => {
    const sink = createStageSink({
      forgeFor: () => assert.fail("nobody is asked"),
      store,
      config: { scheme: "https", domain: "preview.acme.dev" },
      logger: silent,
    });
    assert.equal(await sink.write(aPreview({})), "same");
  });
});
