/** Pull requests under a rule of approvals, through the whole of reconcile: forge and engine are replaced at their ports. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import type { AllActions } from "../../service/actions.ts";
import { previewView } from "../../service/api/preview-view.ts";
import type { ApprovalConfig } from "../../service/config/approval.ts";
import type { PullRequest } from "../../service/forges/forge.ts";
import { type MemoryComments, memoryComments } from "../support/memory-comments.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { testDatabase } from "../support/postgres.ts";
import { type Bench, benchActions, reconcileBench, SHA, shop } from "../support/reconcile-world.ts";

describe("a trusted pull request under a rule of approvals", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let comments: MemoryComments;
  let actions: AllActions;
  let rule: ApprovalConfig;
  let number = 0;
  before(async () => {
    database = await testDatabase();
    bench = await reconcileBench(database.url);
    comments = memoryComments({ now: () => bench.clock.now });
    for (const writer of ["bob", "cy"]) comments.writers.add(writer);
    actions = benchActions(bench, { repositories: async () => [{ ...shop, approval: rule }] });
  });
  after(async () => {
    await bench.close();
    await database.drop();
  });

  const look = (key: string) =>
    bench.reconcile(key, { commandsOf: () => comments, findRepository: async () => ({ ...shop, approval: rule }) });
  const opened = async (asked: ApprovalConfig, changes: Partial<PullRequest> = {}) => {
    rule = asked;
    bench.forge.reviews.length = 0;
    const key = `shop#${++number}`;
    bench.forge.pulls.set(number, pullRequest(number, SHA.a, changes));
    await look(key);
    return { key, number };
  };
  const push = async (key: string, of: number, headSha: string) => {
    bench.forge.pulls.set(of, pullRequest(of, headSha));
    await look(key);
  };
  const stateOf = async (key: string) => {
    const { status } = await bench.preview(key);
    return [status.reason, status.live?.source.commit];
  };
  const messageOf = async (key: string) => (await bench.preview(key)).status.message;
  const lastAnswer = async (key: string) => {
    const { outcome, answer } = (await bench.preview(key)).intents.commands?.answers?.at(-1) ?? {};
    return `${outcome}: ${answer}`;
  };
  const two: ApprovalConfig = { required: 2, waitSeconds: 0 };
  const one: ApprovalConfig = { required: 1, waitSeconds: 0 };

  it("runs once enough others approved that commit, in a comment and by a review, and asks again for the next", async () => {
    const { key, number } = await opened(two);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    comments.say(number, `/preview approve ${SHA.a}`, { author: "bob" });
    await look(key);
    assert.equal(
      await lastAnswer(key),
      "done: commit `aaaaaaa` is approved, and still: 1 of 2 approvals of commit `aaaaaaa`: by @bob",
    );
    assert.equal(await messageOf(key), "1 of 2 approvals of commit `aaaaaaa`: by @bob.");
    assert.equal(previewView(await bench.preview(key)).awaitsApproval, SHA.a);
    bench.forge.reviews.push(`cy ${SHA.a}`);
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    assert.deepEqual(
      (await bench.preview(key)).status.approval?.given.map(({ by }) => by),
      ["@bob", "@cy"],
    );
    await push(key, number, SHA.b);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", SHA.a]);
    assert.equal(await messageOf(key), "0 of 2 approvals of commit `bbbbbbb`.");
  });

  it("is not approved by who opened it, nor by somebody who is not named", async () => {
    const { key, number } = await opened(one);
    comments.say(number, `/preview approve ${SHA.a}`, { author: "ada" });
    await look(key);
    assert.match(await lastAnswer(key), /^confused: @ada asked for it, and nobody approves what is his own/);
    await assert.rejects(actions.approve(key, SHA.a, "@Ada"), {
      reason: "NotApproved",
      message: /nobody approves what/,
    });
    rule = { ...one, by: ["@cy"] };
    await assert.rejects(actions.approve(key, SHA.a, "@bob"), { message: /none of those who may approve it \(@cy\)/ });
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    await actions.approve(key, SHA.a, "@cy");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    const history = await bench.store.history(key, 10);
    assert.ok(history.some(({ message }) => message === "Commit aaaaaaa was approved, by @cy."));
  });

  it("is not approved by who pushed it or a program, nor by another forge's person for who is called so here", async () => {
    const { key, number } = await opened(one);
    bench.forge.makers.set(SHA.a, ["bob"]);
    comments.say(number, `/preview approve ${SHA.a}`, { author: "bob" });
    await look(key);
    assert.match(await lastAnswer(key), /^confused: @bob wrote or pushed it, and nobody approves what is his own/);
    await assert.rejects(actions.approve(key, SHA.a, "@Bob"), { message: /@Bob wrote or pushed it/ });
    await assert.rejects(actions.approve(key, SHA.a, "token ci"), { message: /token ci is a program's/ });
    const atHub = benchActions(bench, { repositories: async () => [{ ...shop, approval: rule }], loginForge: "hub" });
    await assert.rejects(atHub.approve(key, SHA.a, "@cy"), { message: /whether @cy of hub is one of those who made/ });
    rule = { ...one, by: ["@cy", "@dan of hub"] };
    await assert.rejects(atHub.approve(key, SHA.a, "@cy"), { message: /@cy of hub is none of those who may/ });
    await atHub.approve(key, SHA.a, "@dan");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    bench.forge.makers.clear();
  });

  it("waits for its time, is looked at again by then, and asks nobody for it", async () => {
    const { key } = await opened({ required: 0, waitSeconds: 600 });
    const { status, dueAt } = await bench.preview(key);
    assert.equal(status.reason, "ApprovalNeeded");
    assert.match(status.message, /^Commit `aaaaaaa` waits until /);
    assert.equal(dueAt, status.approval?.until);
    assert.equal(previewView(await bench.preview(key)).awaitsApproval, undefined);
    await assert.rejects(actions.approve(key, SHA.a, "@bob"), { message: /it needs no approval/ });
    bench.clock.advance(599);
    await look(key);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", undefined]);
    bench.clock.advance(1);
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
  });

  it("takes an environment's reviewers, starts nothing while those cannot be read, and keeps what serves", async () => {
    bench.forge.environments.set("preview", { reviewers: ["@cy"], own: true, waitSeconds: 0 });
    const { key, number } = await opened({ required: 0, waitSeconds: 0, environment: "preview" });
    bench.forge.reviews.push(`bob ${SHA.a}`);
    await look(key);
    assert.match(
      await messageOf(key),
      /^0 of 1 approval of commit `aaaaaaa` by a reviewer of the environment "preview"/,
    );
    bench.forge.reviews.push(`cy ${SHA.a}`);
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    bench.forge.environments.clear();
    bench.forge.reviews.push(`cy ${SHA.b}`);
    await push(key, number, SHA.b);
    assert.deepEqual(await stateOf(key), ["Unreachable", SHA.a]);
    const { status, dueAt } = await bench.preview(key);
    assert.deepEqual([status.condition, dueAt !== undefined], ["Ready", true]);
    assert.equal(status.message, 'Approvals cannot be read: there is no environment "preview"');
  });

  it("keeps its approvals when the store is lost", async () => {
    const { key } = await opened(one);
    await actions.approve(key, SHA.a, "@bob");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    const { approvals } = (await bench.preview(key)).intents;
    await withClient(database.url, (client) => client.query("truncate preview, history, lease"));
    await look(key);
    assert.deepEqual((await bench.preview(key)).intents.approvals, approvals);
    assert.notEqual((await bench.preview(key)).status.reason, "ApprovalNeeded");
  });

  it("goes back to a commit that served without being asked for again", async () => {
    const { key, number } = await opened(one);
    await actions.approve(key, SHA.a, "@bob");
    await look(key);
    await push(key, number, SHA.b);
    await actions.approve(key, SHA.b, "@bob");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.b]);
    await actions.rollback(key, {}, "@ada");
    await look(key);
    assert.deepEqual(await stateOf(key), ["Healthy", SHA.a]);
    await push(key, number, SHA.c);
    assert.deepEqual(await stateOf(key), ["ApprovalNeeded", SHA.a]);
  });

  it("says what is missing to who asks for it to be made", async () => {
    const { key, number } = await opened(two);
    comments.say(number, "/preview up", { author: "bob" });
    await look(key);
    assert.equal(await lastAnswer(key), "confused: 0 of 2 approvals of commit `aaaaaaa`");
  });

  it("goes when it is closed, whatever is missing", async () => {
    const { key, number } = await opened(one);
    bench.forge.reviews.push(`bob ${SHA.a}`);
    await look(key);
    await push(key, number, SHA.b);
    bench.forge.pulls.set(number, pullRequest(number, SHA.b, { state: "closed" }));
    await look(key);
    assert.equal((await bench.preview(key)).status.reason, "Gone");
  });
});
