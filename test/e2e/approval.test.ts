/** A trusted pull request whose repository asks for an approval, from its opening to a review that lets it run. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { signedHeaders } from "../support/emulate.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { tinyApp } from "./support/tiny-app.ts";

describe("a repository that asks for an approval", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  before(async () => {
    world = await prepareGithubWorld({ files: tinyApp({ text: "main" }) });
    await world.instance.start({ config: world.config({ repository: ", approval: { required: 1 }" }) });
  });
  after(() => world.remove());

  it("runs nothing of a commit on its author's word, and runs it once a reviewer approved exactly that", async () => {
    const { github, instance } = world;
    const { number, headSha } = await github.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    const key = `shop#${number}`;
    const waiting = await instance.waitFor(key, (p) => p.awaitsApproval === headSha, "waiting for an approval");
    assert.deepEqual([waiting.reason, waiting.commit], ["ApprovalNeeded", undefined]);
    const own = await github.comment(number, `/preview approve ${headSha}`);
    await eventually(() => github.reactions(own).join() === "confused", { what: "the author's word refused" });
    await world.commented(number, /0 of 1 approval of commit `[0-9a-f]{7}`/);

    // The emulator has no reviews: these are GitHub's answers, and its delivery.
    const user = { login: "grace", type: "User" };
    const submitted_at = "2026-03-01T12:00:00Z";
    const reviews = [{ id: 1, user, state: "APPROVED", commit_id: headSha, submitted_at }];
    github.fail({ path: new RegExp(`/pulls/${number}/reviews`), status: 200, body: JSON.stringify(reviews) });
    github.fail({ path: /\/collaborators\/grace\/permission$/, status: 200, body: '{"permission":"write"}' });
    const about = { action: "submitted", pull_request: { number }, repository: { full_name: "acme/shop" } };
    const body = JSON.stringify(about);
    const headers = signedHeaders("pull_request_review", body, github.webhookSecret);
    const url = `http://127.0.0.1:${instance.port}/webhooks/github`;
    assert.equal((await fetch(url, { method: "POST", headers, body })).status, 202);
    const live = await instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === headSha, "live");
    assert.deepEqual(
      live.approval?.given.map(({ by }) => by),
      ["@grace"],
    );
    await world.commented(number, /\| Approved \| by @\u200bgrace/);
  });
});
