/** Pull requests of two repositories in one preview: what is built when, and on whose word. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";
import type { PullRequest } from "../../../service/forges/forge.ts";
import { runsIn } from "../../../service/linked/follow.ts";
import { readyEvent } from "../../../service/ready-event.ts";
import type { ReconcileDeps } from "../../../service/reconcile.ts";
import { createSubjectReader } from "../../../service/subject.ts";
import { type MemoryForge, memoryForge, pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import { type Bench, benchActions, config, reconcileBench, SHA, shop } from "../../support/reconcile-world.ts";

const KEY = "shop#1";
const HEAD = "d".repeat(40);
const API_YAML = "services: { web: { command: node api.js, image: 'ghcr.io/acme/api:{sha}' } }\nbuild: make\n";
const SHOP_YAML = "repositories: { api: acme/api }\nservices: { web: node web.js, api: { from: api } }\n";
const api = { ...shop, name: "api", path: "acme/api", forge: "other", linkedBy: ["shop"] };
const payroll = { ...shop, name: "payroll", path: "acme/payroll", forge: "other" };

let database: Awaited<ReturnType<typeof testDatabase>>;
before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

describe("a pull request that is previewed with another one", () => {
  let bench: Bench;
  let other: MemoryForge;
  let both: OperatorConfig;

  beforeEach(async () => {
    bench = await reconcileBench(database.url);
    other = memoryForge();
    other.identity = { id: "2", path: "acme/api" };
    bench.forge.files.set("main:preview.yaml", SHOP_YAML);
    defaultBranch(SHA.b);
    other.files.set("main:preview.yaml", API_YAML);
    other.pulls.set(7, pullRequest(7, HEAD, { url: "https://forge/acme/api/pull/7" }));
    both = { ...config, repositories: [shop, api, payroll] };
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
  });
  afterEach(() => bench.close());

  /** Head of the other repository's default branch, with its preview.yaml. */
  function defaultBranch(sha: string, text = API_YAML): void {
    other.refs.set("main", sha);
    other.files.set(`${sha}:preview.yaml`, text);
  }
  async function look(key = KEY, more: Partial<ReconcileDeps> = {}): Promise<string> {
    const forge = (name: string) => (name === "other" ? other : bench.forge);
    const findRepository = async (name: string) => both.repositories.find((one) => one.name === name);
    const subjects = createSubjectReader({ config: both, forge });
    await bench.reconcile(key, { config: both, subjects, findRepository, ...more });
    return (await bench.preview(key)).status.reason;
  }
  const sameForge = () => {
    both = { ...both, repositories: [shop, { ...api, forge: shop.forge }] };
    bench.forge.refs.set("main", SHA.b);
    bench.forge.files.set("next:preview.yaml", API_YAML);
    bench.forge.files.set(`${SHA.b}:preview.yaml`, API_YAML);
  };
  const describeIt = (previewWith: readonly string[], changes: Partial<PullRequest> = {}) =>
    bench.forge.pulls.set(1, pullRequest(1, SHA.a, { previewWith, ...changes }));
  const status = async () => (await bench.preview(KEY)).status;
  const runs = async () => (await status()).live?.sources?.api;
  const problems = async () => (await status()).links?.map(({ said, problem }) => [said, problem]);

  it("runs the default branch while it names none, and stays at that commit", async () => {
    assert.equal(await look(), "Healthy");
    const { services, sources } = (await status()).live ?? {};
    assert.deepEqual(
      services?.map(({ name, source }) => [name, source]),
      [
        ["web", undefined],
        ["api", "api"],
      ],
    );
    assert.deepEqual(sources?.api, {
      ...{ name: "api", repository: "/srv/shop.git", commit: SHA.b, submodules: false, lfs: false },
      ...{ install: [], build: [{ command: "make", directory: "." }] },
    });
    defaultBranch(SHA.c, "services: { web: other }\n");
    assert.equal(await look(), "Healthy");
    assert.deepEqual([(await runs())?.commit, bench.stacks.runs.length], [SHA.b, 1]);
  });

  it("takes over the newest default branch with a redeploy, a push, or when its commit is no more", async () => {
    await look();
    const { redeploy } = benchActions(bench);
    defaultBranch(SHA.c);
    await redeploy(KEY, "api");
    await look();
    assert.equal((await runs())?.commit, SHA.c);
    defaultBranch(HEAD);
    bench.forge.pulls.set(1, pullRequest(1, SHA.b));
    await look();
    assert.equal((await runs())?.commit, HEAD);
    defaultBranch(SHA.a);
    const { readFile } = other;
    other.readFile = async (repository, gitRef, path) => {
      if (gitRef === HEAD) throw new TerminalError({ reason: "RefNotFound", userMessage: "rewritten" });
      return readFile(repository, gitRef, path);
    };
    await look();
    assert.equal((await runs())?.commit, SHA.a);
  });

  it("has the other one looked at when it begins and ceases to name it, which is where its comment says so", async () => {
    const places = async () => runsIn(await bench.store.current(), "api#7");
    const told: string[] = [];
    const store = { ...bench.store, enqueue: async (keys: readonly string[]) => void told.push(...keys) };
    describeIt(["acme/api#7"]);
    await look(KEY, { store });
    assert.deepEqual([told, await places()], [["api#7"], [KEY]]);
    await look(KEY, { store });
    assert.deepEqual(told, ["api#7"]);
    describeIt(["acme/api#7"], { state: "closed" });
    await look(KEY, { store });
    assert.deepEqual([told, await places()], [["api#7", "api#7"], []]);
  });

  it("lets no stranger's line speak elsewhere", async () => {
    sameForge();
    bench.forge.pulls.set(7, pullRequest(7, HEAD, { baseRef: "next" }));
    describeIt(["acme/api#7"], { trustedAuthor: false });
    await look();
    assert.deepEqual([(await status()).links?.[0]?.headSha, runsIn(await bench.store.current(), "api#7")], [HEAD, []]);
  });

  it("shows a stranger nothing of other people's pull requests, and takes none of them at his word", async () => {
    sameForge();
    const own =
      "That is no pull request of the same author: a stranger's is previewed with his own alone. Correct the line, or take it out.";
    for (const state of ["open", "closed"] as const) {
      bench.forge.pulls.set(7, pullRequest(7, HEAD, { author: "grace", state, url: "https://forge/acme/api/pull/7" }));
      describeIt(["acme/api#7"], { fork: true, author: "mallory", trustedAuthor: false });
      assert.equal(await look(), "ApprovalNeeded");
      assert.deepEqual((await status()).links, [{ said: "acme/api#7", key: "api#7", problem: own }]);
    }
    both = { ...both, repositories: [shop, api, payroll] };
    other.pulls.set(7, pullRequest(7, HEAD, { author: "mallory" }));
    await look();
    assert.deepEqual([(await status()).links, other.reads], [[{ said: "acme/api#7", problem: own }], 0], "unasked");
  });

  it("builds the other head beside its own, follows its pushes, and is used by them", async () => {
    describeIt(["acme/api#7"]);
    assert.equal(await look(), "Healthy");
    const told = async () => readyEvent(await bench.preview(KEY), { pageUrl: "" })?.linked;
    assert.deepEqual([(await runs())?.commit, (await runs())?.number], [HEAD, 7]);
    assert.deepEqual(await told(), { "api#7": HEAD });
    bench.clock.advance(3600);
    other.pulls.set(7, pullRequest(7, SHA.c));
    await look();
    assert.equal((await runs())?.commit, SHA.c);
    assert.deepEqual(await told(), { "api#7": SHA.c });
    assert.equal((await bench.preview(KEY)).lastPushAt, bench.clock.now);
  });

  it("is looked at when the other one is pushed to or closed, though that gets no preview itself", async () => {
    describeIt(["api#7"]);
    await look();
    const queued = async () => {
      const keys: string[] = [];
      bench.deps.store.enqueue = async (added) => void keys.push(...added);
      await look("api#7").catch(() => undefined);
      return keys;
    };
    other.pulls.set(7, pullRequest(7, SHA.c, { draft: true }));
    assert.deepEqual(await queued(), [KEY]);
  });

  it("runs the default branch once the other one is merged or closed, and says which", async () => {
    for (const merged of [true, false]) {
      describeIt(["acme/api#7"]);
      other.pulls.set(7, pullRequest(7, HEAD, { state: "closed", merged }));
      await look();
      assert.deepEqual([(await runs())?.commit, (await runs())?.number], [SHA.b, undefined]);
      const word = merged ? "merged" : "closed";
      assert.deepEqual(await problems(), [["acme/api#7", `It is ${word}: the default branch runs in its place.`]]);
    }
  });

  it("says which lines do not count, and why", async () => {
    describeIt(["acme/payroll#1", "@mallory <b>", "acme/shop#1", "shop#2", "acme/api#7", "api#8"]);
    assert.equal(await look(), "Healthy");
    assert.equal((await runs())?.commit, HEAD);
    assert.deepEqual(await problems(), [
      ["acme/payroll#1", "No service of `preview.yaml`, as the base branch has it, comes from that repository."],
      ["mallory  b", "That names no pull request; it is written `Preview-With: acme/api#7`."],
      ["acme/shop#1", "That is this pull request itself."],
      ["shop#2", "That is of the same repository."],
      ["api#8", "A pull request is previewed with 5 others at most; this line and those behind it are left out."],
      ["acme/api#7", undefined],
    ]);
  });

  it("waits for an approval of both commits where the other one is a stranger's, and again with each push", async () => {
    describeIt(["acme/api#7"]);
    await look();
    const actions = benchActions(bench, { isolationOf: () => "apart" });
    other.pulls.set(7, pullRequest(7, SHA.c, { fork: true, author: "mallory", trustedAuthor: false }));
    assert.equal(await look(), "ApprovalNeeded");
    assert.match((await status()).message, /acme\/api#7 is not trusted.*`aaaaaaa` with `ccccccc` of acme\/api#7/);
    assert.equal((await runs())?.commit, HEAD, "what serves goes on");
    bench.clock.advance(59);
    await assert.rejects(actions.approve(KEY, SHA.a, "@ana"), {
      reason: "NotApproved",
      message: /what it is previewed with changed less than a minute ago/,
    });
    bench.clock.advance(1);
    await actions.approve(KEY, SHA.a, "@ana");
    assert.equal(await look(), "Healthy");
    assert.deepEqual([(await runs())?.commit, (await status()).live?.untrusted], [SHA.c, { isolated: true }]);
    other.pulls.set(7, pullRequest(7, SHA.b, { fork: true, author: "mallory", trustedAuthor: false }));
    assert.equal(await look(), "ApprovalNeeded");
    assert.equal((await runs())?.commit, SHA.c);
  });

  it("approves what was shown, not what was pushed since", async () => {
    other.pulls.set(7, pullRequest(7, HEAD, { fork: true }));
    describeIt(["acme/api#7"]);
    assert.equal(await look(), "ApprovalNeeded");
    assert.match((await status()).message, /with `ddddddd` of acme\/api#7/);
    bench.clock.advance(60);
    other.pulls.set(7, pullRequest(7, SHA.c, { fork: true }));
    await benchActions(bench, { isolationOf: () => "apart" }).approve(KEY, SHA.a, "@ana");
    assert.equal(await look(), "ApprovalNeeded");
    assert.deepEqual(bench.stacks.runs, []);
  });

  it("counts for a rule who approved its commit with the other head, and no review, which is of its own alone", async () => {
    const approval = { required: 1, waitSeconds: 0 };
    both = { ...both, repositories: [{ ...shop, approval }, api, payroll] };
    const actions = benchActions(bench, { repositories: async () => both.repositories });
    bench.forge.reviews.push(`bob ${SHA.a}`);
    describeIt(["acme/api#7"]);
    assert.equal(await look(), "ApprovalNeeded");
    assert.equal((await status()).message, "0 of 1 approval of commit `aaaaaaa` with `ddddddd` of api#7.");
    bench.clock.advance(60);
    await actions.approve(KEY, SHA.a, "@cy");
    assert.equal(await look(), "Healthy");
    other.pulls.set(7, pullRequest(7, SHA.c));
    assert.equal(await look(), "ApprovalNeeded");
    assert.equal((await runs())?.commit, HEAD);
    bench.clock.advance(60);
    await actions.approve(KEY, SHA.a, "@cy");
    assert.equal(await look(), "Healthy");
    assert.equal((await runs())?.commit, SHA.c);
    describeIt([]);
    assert.equal(await look(), "Healthy", "what is left was approved, too");
  });

  it("serves on while the other forge is away, and destroys nothing", async () => {
    describeIt(["acme/api#7"]);
    await look();
    other.outage = "the forge is away";
    await look();
    assert.deepEqual([(await status()).reason, (await runs())?.commit], ["Unreachable", HEAD]);
    assert.equal(bench.stacks.runs.length, 1);
    describeIt(["acme/api#7"], { state: "closed" });
    assert.equal(await look(), "Gone");
  });

  it("refuses repositories that the operator does not name, and itself", async () => {
    const text = SHOP_YAML.replace("acme/api", "acme/secret");
    bench.forge.files.set("main:preview.yaml", text);
    assert.equal(await look(), "SpecInvalid");
    assert.match((await status()).excerpt.join(), /"acme\/secret", which is none of the operator's repositories/);
    bench.forge.files.set("main:preview.yaml", SHOP_YAML.replace("acme/api", "acme/shop"));
    await look();
    assert.match((await status()).excerpt.join(), /"acme\/shop", which is this repository itself/);
    const twice = "services: { web: x, a: { from: a }, b: { from: b } }\nrepositories: { a: api, b: acme/API }\n";
    bench.forge.files.set("main:preview.yaml", twice);
    await look();
    assert.match((await status()).excerpt.join(), /"repositories.b" names the same repository as "repositories.a"/);
    bench.forge.files.set("main:preview.yaml", SHOP_YAML);
    for (const linkedBy of [undefined, ["payroll"]]) {
      both = { ...both, repositories: [shop, { ...api, ...{ linkedBy } }, payroll] };
      await look();
      assert.match(
        (await status()).excerpt.join(),
        /the operator does not give to "shop"; `linkedBy: \[shop\]` in the entry of "api" in stackling.yaml does/,
      );
    }
    both = { ...both, repositories: [shop, { ...api, linkedBy: ["shop"] }, payroll] };
    assert.equal(await look(), "Healthy");
  });

  it("takes images by the commit of their own repository", async () => {
    both = { ...both, targets: both.targets.map((target) => ({ ...target, runs: "images" as const })) };
    bench.forge.files.set(
      "main:preview.yaml",
      SHOP_YAML.replace("node web.js", "{ image: 'ghcr.io/acme/shop:{sha}' }"),
    );
    describeIt(["acme/api#7"]);
    await look(KEY, { images: { find: async (_preview, spec) => ({ kind: "found", spec, status: {} }) } });
    const images = (await status()).live?.services.map(({ image }) => image);
    assert.deepEqual(images, [`ghcr.io/acme/shop:${SHA.a}`, `ghcr.io/acme/api:${HEAD}`]);
  });
});
