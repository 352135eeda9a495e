/** The store is lost and there is no backup: forge and state backend tell what there was. */
import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { layout } from "../../components/local/layout.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { stopEmbeddedPostgres } from "../../service/embedded/postgres.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";

describe("previews whose store is lost", requires("engine", "postgres"), () => {
  let repository: TestRepository;
  let instance: Instance;
  let open: PreviewView;
  let closed: PreviewView;
  let made: readonly string[];
  let lostAt: string;

  before(async () => {
    repository = await createRepository({ files: tinyApp({ text: "main" }) });
    instance = await prepareInstance({
      config: (port) =>
        `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: lost }\nlifecycle: { resync: 2s }\n`,
    });
    await instance.start();
    [open, closed] = await Promise.all([opened("open"), opened("closed")]);
    await instance.client.act(open.key, { action: "redeploy" });
    open = await instance.waitFor(open.key, (p) => p.reason === "Healthy", "live again");
    made = await databases();
    await instance.kill();
    await loseStore();
    await repository.deleteBranch("closed");
    lostAt = new Date().toISOString();
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  it("keep their link, database and data when they are open", async () => {
    const { key, url = "", commit } = open;
    const found = await instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === commit, "known again");
    assert.deepEqual([found.url, found.stack, found.database], [url, open.stack, open.database]);
    const page = await instance.get(url);
    assert.equal(page.status, 200);
    assert.ok(page.text.startsWith(`open ${commit} `), page.text);
    assert.deepEqual(await databases(), made);
  });

  it("are gone, with nothing left, when they were closed meanwhile", async () => {
    await instance.waitFor(closed.key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack: closed.stack }), []);
  });

  it("are idle from the rebuild on, and as old as they were", async () => {
    const { createdAt, lastPushAt } = await instance.client.find(open.key);
    assert.ok(lastPushAt >= lostAt, `${lastPushAt} is not behind ${lostAt}`);
    assert.equal(createdAt, open.createdAt);
  });

  it("follow the next push and go as ever", async () => {
    const pushed = await repository.commit("open", { "text.txt": "pushed" });
    await instance.waitFor(open.key, (p) => p.reason === "Healthy" && p.commit === pushed, "at the push");
    assert.deepEqual(await databases(), made);
    await repository.deleteBranch("open");
    await instance.waitFor(open.key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack: open.stack }), []);
  });

  async function opened(gitBranch: string): Promise<PreviewView> {
    const commit = await repository.commit(gitBranch, { "text.txt": gitBranch });
    return instance.waitForBranch(gitBranch, (p) => p.reason === "Healthy" && p.commit === commit, "live");
  }

  /** With their ids, which a database made anew does not share. */
  async function databases(): Promise<readonly string[]> {
    const adminUrl = (await readFile(layout(instance.dataDir).previewsUrl, "utf8")).trim();
    const name = open.stack.replaceAll("-", "_");
    return withClient(adminUrl, async (client) => {
      const { rows } = await client.query<{ what: string }>(
        "select datname || ' ' || oid as what from pg_database where datname like $1",
        [`${name}%`],
      );
      assert.equal(rows.length, 1);
      return rows.map(({ what }) => what);
    });
  }

  /** Its server with all that it held; that of the previews runs on. */
  async function loseStore(): Promise<void> {
    const dir = join(layout(instance.dataDir).postgres, "store");
    await stopEmbeddedPostgres(dir);
    await rm(dir, { recursive: true });
  }
});
