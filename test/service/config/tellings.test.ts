import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const parse = (text: string) =>
  parseOperator(text, { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/tmp" });

async function faultsIn(text: string): Promise<string> {
  const error = await parse(text).then(
    () => assert.fail("it was taken"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConfigError);
  return error.message;
}

describe("what the config says of comments, chats and hooks", () => {
  it("is taken as it is meant, with repositories that differ", async () => {
    const config = await parse(`
comments: short
chat:
  team: {kind: slack, token: {env: SLACK_TOKEN}, channel: C0123, signingSecret: {file: signing}, people: {U0ADA: operator}}
  ops: {kind: teams, webhook: {env: TEAMS_URL}}
hooks:
  e2e: {url: "https://ci.acme.dev/hook", secret: {file: hook.secret}, events: [ready]}
repositories:
  - {path: ./shop, comments: off, chat: [ops], hooks: []}
  - {path: ./tools, comments: true}
`);
    assert.equal(config.comments, "short");
    assert.deepEqual(
      config.repositories.map(({ comments, chat, hooks }) => ({ comments, chat, hooks })),
      [
        { comments: "off", chat: ["ops"], hooks: [] },
        { comments: "full", chat: undefined, hooks: undefined },
      ],
    );
    assert.deepEqual(config.chat?.team, {
      kind: "slack",
      token: { env: "SLACK_TOKEN" },
      channel: "C0123",
      signingSecret: { file: "/etc/stackling/signing" },
      people: { U0ADA: "operator" },
      api: "https://slack.com/api",
    });
    assert.deepEqual(config.hooks, {
      e2e: { url: "https://ci.acme.dev/hook", secret: { file: "/etc/stackling/hook.secret" }, events: ["ready"] },
    });
    assert.equal((await parse("repositories: [{path: ./shop}]")).comments, "full");
    assert.equal((await parse("comments: false\nrepositories: [{path: ./shop}]")).comments, "off");
  });

  it("names a repository's choice that there is not, and what was meant", async () => {
    const text =
      "hooks: {e2e: {url: 'https://ci.acme.dev', secret: {env: S}}}\nrepositories: [{path: ./shop, hooks: [e3e], chat: [team]}]";
    const faults = await faultsIn(text);
    assert.match(faults, /nothing named "e3e" under "hooks"; did you mean "e2e"\?/);
    assert.match(faults, /nothing named "team" under "chat"; name it under "chat" at the top/);
  });

  it("refuses a Slack that could not work, an address with a login, and a word that is none", async () => {
    const on = (chat: string) => faultsIn(`chat: {team: {kind: slack, ${chat}}}\nrepositories: [{path: ./shop}]`);
    assert.match(await on("people: {}"), /needs either a `webhook` or a bot's `token`/);
    assert.match(await on("token: {env: T}"), /`token` and its `channel` belong together/);
    assert.match(await on("webhook: {env: T}, people: {ada: operator}"), /U0123456789/);
    const hook = "hooks: {e2e: {url: 'https://u:p@ci.acme.dev', secret: {env: S}}}\nrepositories: [{path: ./shop}]";
    assert.match(await faultsIn(hook), /must not hold a login/);
    assert.match(await faultsIn("comments: loud\nrepositories: [{path: ./shop}]"), /comments/);
  });
});
