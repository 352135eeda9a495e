import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import express from "express";
import type { AuditNote } from "../../../service/audit.ts";
import { createSlackActions } from "../../../service/chat/slack-actions.ts";
import { ACTIONS } from "../../../service/chat/slack-message.ts";
import type { ChatConfig } from "../../../service/config/chat.ts";
import { eventually } from "../../support/eventually.ts";
import { aPreview } from "../../support/previews.ts";
import { clickOf, SIGNING_SECRET } from "../../support/slack.ts";

const NOW = new Date("2026-11-22T10:00:00.000Z");
process.env.STACKLING_TEST_SIGNING = SIGNING_SECRET;

describe("a click in Slack", () => {
  const done: string[] = [];
  const audit: AuditNote[] = [];
  const told: string[] = [];
  let url = "";
  const server = createServer();

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const chat: ChatConfig = {
      kind: "slack",
      webhook: { env: "STACKLING_TEST_NONE" },
      signingSecret: { env: "STACKLING_TEST_SIGNING" },
      people: { U0ADA: "operator", U0VIEW: "viewer" },
      api: `${url}/api`,
    };
    const app = express();
    app.post(
      "/chat/slack",
      createSlackActions({
        config: { chat: { team: chat }, repositories: [] },
        actions: {
          extend: async (key, seconds, by) => void done.push(`extend ${key} ${seconds} ${by}`),
          sleep: async (key, by) => void done.push(`sleep ${key} ${by}`),
          down: async (key, by) => void done.push(`down ${key} ${by}`),
        },
        store: { find: async (key) => (key === "shop#42" ? aPreview() : undefined) },
        audit: { record: async (entry) => void audit.push(entry) },
        now: () => NOW,
        onError: (error) => void told.push(`error ${String(error)}`),
      }),
    );
    // Where Slack would take the answer.
    app.post("/answers", express.json(), (request, response) => {
      told.push((request.body as { text: string }).text);
      response.end("ok");
    });
    server.on("request", app);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    done.length = 0;
    audit.length = 0;
    told.length = 0;
  });

  const payload = (action: keyof typeof ACTIONS, user = "U0ADA", key = "shop#42") => ({
    type: "block_actions",
    user: { id: user, username: "ada" },
    response_url: `${url}/answers`,
    actions: [{ action_id: ACTIONS[action], value: key }],
  });
  const post = ({ headers, body }: ReturnType<typeof clickOf>) =>
    fetch(`${url}/chat/slack`, { method: "POST", headers, body });

  it("does what the button says, in the name of who clicked, and tells that person what came of it", async () => {
    for (const action of ["extend", "sleep", "destroy"] as const) {
      assert.equal((await post(clickOf(payload(action), { at: NOW }))).status, 200);
    }
    await eventually(() => told.length === 3, { what: "three answers" });
    assert.deepEqual(done.toSorted(), [
      "down shop#42 ada (Slack)",
      "extend shop#42 172800 ada (Slack)",
      "sleep shop#42 ada (Slack)",
    ]);
    assert.deepEqual(audit.map(({ action, outcome, via }) => `${via} ${action} ${outcome}`).toSorted(), [
      "chat down done",
      "chat extend done",
      "chat sleep done",
    ]);
    assert.ok(told.some((text) => /shop#42 goes to sleep/.test(text)));
  });

  it("does nothing for whom the operator did not name, nor for a viewer, and writes that down", async () => {
    for (const user of ["U0MALLORY", "U0VIEW", "constructor"]) {
      assert.equal((await post(clickOf(payload("destroy", user), { at: NOW }))).status, 200);
    }
    await eventually(() => told.length === 3, { what: "three answers" });
    assert.deepEqual(done, []);
    assert.ok(
      told.every((text) => /^Not done: the Slack member ".*" may not do that/.test(text)),
      told.join("; "),
    );
    assert.deepEqual([...new Set(audit.map(({ outcome }) => outcome))], ["refused"]);
  });

  it("does nothing with what is not there, nor with a stage", async () => {
    for (const key of ["shop#43", "shop:production"])
      await post(clickOf(payload("destroy", "U0ADA", key), { at: NOW }));
    await eventually(() => told.length === 2, { what: "two answers" });
    assert.deepEqual(done, []);
  });

  it("is refused with another secret, another body, an old time or none of it", async () => {
    const good = clickOf(payload("destroy"), { at: NOW });
    const old = new Date(NOW.getTime() - 301_000);
    const bad = [
      clickOf(payload("destroy"), { at: NOW, secret: "another" }),
      clickOf(payload("destroy"), { at: old }),
      clickOf(payload("destroy"), { at: new Date(NOW.getTime() + 301_000) }),
      { ...good, body: good.body.replace("42", "43") },
      { ...good, headers: { ...good.headers, "x-slack-signature": "v0=00" } },
      { ...good, headers: { "content-type": "application/x-www-form-urlencoded" } },
      { ...good, headers: { ...good.headers, "x-slack-request-timestamp": "NaN" } },
    ];
    for (const one of bad) assert.equal((await post(one)).status, 401);
    assert.deepEqual(done, []);
  });

  it("is answered and otherwise passed over where it is of a link, or of a kind that is not known", async () => {
    const link = { ...payload("sleep"), actions: [{ action_id: "stackling.open" }] };
    for (const one of [link, { type: "view_submission" }]) {
      assert.equal((await post(clickOf(one, { at: NOW }))).status, 200);
    }
    assert.equal((await post({ ...clickOf(link, { at: NOW }) })).status, 200);
    assert.deepEqual([done, audit, told], [[], [], []]);
  });

  it("is answered nowhere but at Slack, whatever address it bears", async () => {
    const elsewhere = { ...payload("sleep"), response_url: "http://169.254.169.254/latest" };
    await post(clickOf(elsewhere, { at: NOW }));
    await eventually(() => done.length === 1, { what: "the deed" });
    await eventually(() => audit.length === 1, { what: "the entry" });
    assert.deepEqual(told, []);
  });

  it("is not read to its end when it is too long", async () => {
    const long = clickOf({ ...payload("sleep"), pad: "x".repeat(300_000) }, { at: NOW });
    const status = await post(long).then(
      (answer) => answer.status,
      () => 413,
    );
    assert.equal(status, 413);
    assert.deepEqual(done, []);
  });
});
