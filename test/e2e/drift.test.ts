/** Edits by hand in real previews, found by the looks that nobody asks for. */
import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { layout } from "../../components/local/layout.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { visitorOf } from "./support/visitor.ts";

describe("an edit by hand, on schedule", requires("engine", "postgres"), () => {
  let told: TestRepository;
  let mended: TestRepository;
  let instance: Instance;
  before(async () => {
    const files = tinyApp({ text: "main" });
    [told, mended] = [await createRepository({ files }), await createRepository({ files })];
    instance = await prepareInstance({
      config: (port) =>
        [
          `port: ${port}`,
          "drift: { every: 3s }",
          "repositories:",
          `  - { path: ${told.path}, name: told }`,
          `  - { path: ${mended.path}, name: mended, drift: { policy: repair } }`,
          "",
        ].join("\n"),
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await told.remove();
    await mended.remove();
  });

  const open = async (repository: TestRepository, gitBranch: string): Promise<PreviewView> => {
    const commit = await repository.commit(gitBranch, { "text.txt": gitBranch });
    return instance.waitForBranch(gitBranch, (p) => p.reason === "Healthy" && p.commit === commit, "live");
  };
  const lookedAt = (key: string, is: (drift: NonNullable<PreviewView["drift"]>) => boolean, what: string) =>
    instance.waitFor(key, ({ drift }) => drift !== undefined && is(drift), what);

  it("is told and left alone by default, and ended by the next push", async () => {
    const { key, stack } = await open(told, "told");
    const clean = await lookedAt(key, ({ at }) => at !== undefined, "looked at");
    assert.deepEqual(clean.drift?.differences, []);
    const adminUrl = (await readFile(layout(instance.dataDir).previewsUrl, "utf8")).trim();
    const name = stack.replaceAll("-", "_");
    await withClient(adminUrl, (client) => client.query(`DROP DATABASE "${name}" WITH (FORCE)`));
    const found = await lookedAt(key, ({ differences }) => differences.length > 0, "found to be edited");
    assert.ok(found.drift?.differences.some(({ message }) => message.includes(`database "${name}" is missing`)));
    assert.match(found.comment ?? "", /An edit by hand: /);
    const { history } = (await instance.ask(`/previews/${encodeURIComponent(key)}/history`)) as History;
    assert.ok(history.some(({ reason }) => reason === "Drifted"));
    const { at: foundAt = "" } = found.drift ?? {};
    await lookedAt(key, ({ at = "", differences }) => at > foundAt && differences.length > 0, "left as it is");
    const pushed = await told.commit("told", { "text.txt": "pushed" });
    const { url = "" } = await instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === pushed, "updated");
    await lookedAt(key, ({ differences }) => differences.length === 0, "clean again");
    assert.match((await visitorOf(url).get("/")).text, new RegExp(`^pushed ${pushed} ${name}`));
  });

  it("is put right where the repository says so, with an entry in the history", async () => {
    const { key, stack, url = "" } = await open(mended, "mended");
    await rm(layout(instance.dataDir).preview(stack).route("web"));
    await eventually(async () => {
      const { history } = (await instance.ask(`/previews/${encodeURIComponent(key)}/history`)) as History;
      return history.some(({ reason, message }) => reason === "DriftRepaired" && /route "web.*missing/.test(message));
    });
    await instance.waitFor(key, ({ reason }) => reason === "Healthy", "repaired");
    await eventually(async () => (await visitorOf(url).get("/")).text.startsWith("mended "));
  });

  it("is not what sleep is", async () => {
    const { key } = await open(told, "asleep");
    await instance.client.act(key, { action: "sleep" });
    const { since } = await instance.waitFor(key, ({ reason }) => reason === "Asleep", "asleep");
    const seen = await lookedAt(key, ({ at = "" }) => at > since, "looked at in its sleep");
    assert.deepEqual([seen.drift?.differences, seen.drift?.unread, seen.awake], [[], undefined, false]);
  });
});

interface History {
  readonly history: readonly { readonly reason: string; readonly message: string }[];
}
