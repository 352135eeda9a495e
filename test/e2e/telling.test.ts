/** What people and machines are told of a preview, from the pull request's opening to its end: comment, Slack, a hook. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Webhook } from "standardwebhooks";
import { eventually } from "../support/eventually.ts";
import { type HookReceiver, startHookReceiver } from "../support/hook-receiver.ts";
import { requires } from "../support/requires.ts";
import { clickOf, SIGNING_SECRET, SLACK_TOKEN, startSlack, type TestSlack } from "../support/slack.ts";
import { createGate, type Gate } from "./support/gate.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { tinyApp } from "./support/tiny-app.ts";

const SECRET = `whsec_${Buffer.from("a secret of 24 characters").toString("base64")}`;

describe("what a running service tells", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  let slack: TestSlack;
  let hook: HookReceiver;
  let gate: Gate;
  let more = "";

  before(async () => {
    [slack, hook, gate] = await Promise.all([startSlack(), startHookReceiver(), createGate()]);
    world = await prepareGithubWorld({
      files: tinyApp({ text: "main", build: gate.program }),
      environment: { TEST_SLACK_TOKEN: SLACK_TOKEN, TEST_SLACK_SIGNING: SIGNING_SECRET, TEST_HOOK_SECRET: SECRET },
    });
    more = [
      `chat: {team: {kind: slack, api: "${slack.api}", token: {env: TEST_SLACK_TOKEN}, channel: ${slack.channel},`,
      "  signingSecret: {env: TEST_SLACK_SIGNING}, people: {U0ADA: operator}}}",
      `hooks: {e2e: {url: "${hook.url}", secret: {env: TEST_HOOK_SECRET}}}`,
    ].join("\n");
    await start();
  });
  const start = () => world.instance.start({ config: world.config({ more }) });
  after(async () => {
    await world.remove();
    await Promise.all([slack.stop(), gate.remove()]);
    hook.close();
  });

  const inSlack = async (wanted: RegExp) =>
    eventually(
      async () => {
        const messages = await slack.messages();
        const found = messages.find(({ text }) => wanted.test(text));
        return found ? { found, count: messages.length } : undefined;
      },
      { timeoutMs: 60_000, what: `a message like ${wanted}` },
    );
  const taken = () =>
    hook.received
      .filter(({ status }) => status === 204)
      .map(
        ({ body, headers }) => new Webhook(SECRET).verify(body, headers as Record<string, string>) as { type: string },
      );

  it("is on the pull request and in Slack while the build has not ended yet, and no hook hears of that", async () => {
    await world.github.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    await gate.reached();
    assert.match(await world.commented(1, /is being built/), /status and logs/);
    await inSlack(/shop#1 is being built/);
    assert.deepEqual(hook.received, []);
  });

  it("is the same comment and the same message once it is ready", async () => {
    hook.answer(503);
    await gate.open();
    const comment = await world.commented(1, /is ready/);
    assert.match(comment, /\| Services \| \[web\]\([^)]+\) up \|/);
    const { count } = await inSlack(/✅ shop#1 is ready/);
    assert.equal(count, 1);
    await eventually(() => hook.received.length > 0, { what: "an attempt of the hook" });
    assert.deepEqual(taken(), []);
  });

  it("reaches a hook that was away, although the service was killed meanwhile", async () => {
    await world.instance.kill();
    hook.answer(204);
    await start();
    await eventually(() => taken().length > 0, { timeoutMs: 90_000, what: "a delivery that was taken" });
    assert.deepEqual(
      taken().map(({ type }) => type),
      ["preview.ready"],
    );
    assert.equal(new Set(hook.received.map(({ headers }) => headers["webhook-id"])).size, 1);
  });

  it("is answered by a click in Slack, in the name of who clicked", async () => {
    const { headers, body } = clickOf({
      type: "block_actions",
      user: { id: "U0ADA", username: "ada" },
      actions: [{ action_id: "stackling.sleep", value: "shop#1" }],
    });
    const url = `http://127.0.0.1:${world.instance.port}/chat/slack`;
    assert.equal((await fetch(url, { method: "POST", headers, body })).status, 200);
    assert.equal((await fetch(url, { method: "POST", headers, body: `${body}x` })).status, 401);
    await inSlack(/shop#1 is asleep/);
    const audit = JSON.stringify(await world.instance.ask("/audit?key=shop%231"));
    assert.match(audit, /"actor":"ada \(Slack\)","action":"sleep"/);
  });

  it("ends with the pull request, everywhere", async () => {
    await world.github.close(1);
    await world.commented(1, /is gone/);
    const { count } = await inSlack(/shop#1 is gone/);
    assert.equal(count, 1);
    await eventually(() => taken().some(({ type }) => type === "preview.gone"), { what: "the end, told" });
    assert.equal(taken().length, 2);
  });
});
