/** A stranger's pull request with one of his own in another repository: what he and its readers are told. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { ApprovalConfig } from "../../../service/config/approval.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";
import type { PullRequest } from "../../../service/forges/forge.ts";
import { linkNews } from "../../../service/linked/follow.ts";
import { createSubjectReader } from "../../../service/subject.ts";
import { memoryComments } from "../../support/memory-comments.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA, shop } from "../../support/reconcile-world.ts";

const KEY = "shop#1";
const HEAD = "d".repeat(40);
const SHOP_YAML = "repositories: { api: acme/api }\nservices: { web: node web.js, api: { from: api } }\n";
const RUNS = "commit `aaaaaaa` may run, and no other";
const API_YAML = "services: { web: { command: node api.js } }\n";

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("a stranger's pull request with one of another repository", () => {
  let bench: Bench;
  let comments: ReturnType<typeof memoryComments>;
  let approval: ApprovalConfig | undefined;

  beforeEach(async () => {
    approval = undefined;
    bench = await reconcileBench(database.url);
    comments = memoryComments({ now: () => bench.clock.now });
    bench.forge.refs.set("main", SHA.b);
    bench.forge.files.set("main:preview.yaml", SHOP_YAML);
    // Both repositories answer at one forge here: those of the other one go into a branch of its own.
    bench.forge.files.set("next:preview.yaml", API_YAML);
    bench.forge.files.set(`${SHA.b}:preview.yaml`, API_YAML);
    open(1, SHA.a, { previewWith: ["acme/api#7"] });
  });
  afterEach(() => bench.close());

  const open = (number: number, sha: string, more: Partial<PullRequest> = {}) =>
    bench.forge.pulls.set(
      number,
      pullRequest(number, sha, { author: "mallory", trustedAuthor: false, fork: true, ...more }),
    );
  const openOther = (more: Partial<PullRequest> = {}) => open(7, HEAD, { baseRef: "next", ...more });

  /** Looks at it; resolves with the keys that are to be looked at next. */
  async function look(key = KEY): Promise<readonly string[]> {
    const told: string[] = [];
    const { store, clock } = bench;
    const api = { ...shop, name: "api", path: "acme/api", linkedBy: ["shop"], ...(approval ? { approval } : {}) };
    const both: OperatorConfig = { ...config, repositories: [shop, api] };
    await bench.reconcile(key, {
      config: both,
      commandsOf: () => comments,
      subjects: createSubjectReader({ config: both, forge: () => bench.forge, store, now: () => clock.now }),
      findRepository: async (name) => both.repositories.find((one) => one.name === name),
      store: { ...store, enqueue: async (keys) => void told.push(...keys) },
    });
    return told;
  }
  const status = async () => (await bench.preview(KEY)).status;
  const lastAnswer = async () => (await bench.preview(KEY)).intents.commands?.answers?.at(-1)?.answer;

  it("is told by the answer to its approval what the other one waits for, without the names of its repository", async () => {
    approval = { required: 2, by: ["@bob", "@cy"], waitSeconds: 0, environment: "vault" };
    bench.forge.environments.set("vault", { reviewers: ["@dan"], own: true, waitSeconds: 0 });
    bench.forge.reviews.push(`bob ${HEAD}`);
    openOther();
    await look();
    bench.clock.advance(120);
    comments.say(1, `/preview approve ${SHA.a}`);
    await look();
    const waits =
      "acme/api#7 waits by its own repository's rule: 1 of 2 approvals of commit `ddddddd`, and 0 of 1 approval of commit `ddddddd` by a reviewer of its environment; approve it there, as `api#7`";
    assert.equal(await lastAnswer(), `commit \`aaaaaaa\` is approved, and still: ${waits}`);
    const { reason, message, links } = await status();
    assert.deepEqual([reason, message], ["ApprovalNeeded", `${waits}.`]);
    assert.doesNotMatch(JSON.stringify(links), /bob|cy|dan|vault/);
  });

  it("is not approved while what it is previewed with cannot be read, for the approval would be of one unseen", async () => {
    openOther();
    const read = bench.forge.read.bind(bench.forge);
    bench.forge.read = async (repository, asked) =>
      asked === 7 ? { kind: "unreachable", message: "502" } : read(repository, asked);
    await look();
    bench.clock.advance(120);
    comments.say(1, `/preview approve ${SHA.a}`);
    await look();
    const says = /what it is previewed with cannot be read now; say it again when it is shown$/;
    assert.match((await lastAnswer()) ?? "", says);
    const actions = benchActions(bench, { isolationOf: () => "apart" });
    await assert.rejects(actions.approve(KEY, SHA.a, "@ana"), { reason: "NotApproved", message: says });
    assert.equal((await bench.preview(KEY)).intents.approved, undefined);
    bench.forge.read = read;
    await look();
    bench.clock.advance(120);
    comments.say(1, `/preview approve ${SHA.a}`);
    await look();
    assert.deepEqual([await lastAnswer(), (await status()).reason], [RUNS, "Healthy"]);
  });

  it("is told what the other one waits for now, not what it waited for when it was looked at before", async () => {
    approval = { required: 1, waitSeconds: 0 };
    openOther();
    await look();
    bench.clock.advance(120);
    bench.forge.reviews.push(`bob ${HEAD}`);
    comments.say(1, `/preview approve ${SHA.a}`);
    await look();
    assert.deepEqual([await lastAnswer(), (await status()).reason], [RUNS, "Healthy"]);
  });

  it("finds his own one that he opens behind the line, and no change in somebody else's", async () => {
    await look();
    assert.match((await status()).links?.[0]?.problem ?? "", /^That is no pull request of the same author/);
    const open7 = { number: 7, headSha: HEAD };
    const previews = await bench.store.current();
    assert.deepEqual(linkNews(previews, "api", []), []);
    assert.deepEqual(linkNews(previews, "api", [{ ...open7, author: "grace" }]), []);
    assert.deepEqual(linkNews(previews, "api", [{ ...open7, author: "mallory" }]), [KEY], "it is in the list");
    openOther();
    assert.ok((await look("api#7")).includes(KEY), "it is looked at");
    await look();
    const [link] = (await status()).links ?? [];
    assert.deepEqual([link?.headSha, link?.problem], [HEAD, undefined]);
  });

  it("waits for what cannot be read now, in the same words of whichever number, and asks again", async () => {
    const seen = async (number: number) => {
      open(number, SHA.a, { previewWith: [`acme/api#${number + 6}`] });
      const read = bench.forge.read.bind(bench.forge);
      const outage = "reading whether mallory may write: 502";
      bench.forge.read = async (repository, asked) =>
        asked > 6 ? { kind: "unreachable", message: outage } : read(repository, asked);
      await look(`shop#${number}`);
      bench.forge.read = read;
      const { status: held, dueAt } = await bench.preview(`shop#${number}`);
      assert.ok(dueAt !== undefined && dueAt > bench.clock.now);
      return [held.reason, held.message.replace(/#\d/, "#N"), held.links];
    };
    openOther();
    const there = await seen(1);
    assert.deepEqual(there, [
      "Unreachable",
      "`Preview-With: acme/api#N` cannot be read now. It is asked again. Is the number wrong, correct the line or take it out.",
      undefined,
    ]);
    assert.deepEqual(await seen(2), there, "of one that there is not");
    await look();
    const { reason, links } = await status();
    assert.deepEqual([reason, links?.[0]?.headSha], ["ApprovalNeeded", HEAD]);
  });
});
