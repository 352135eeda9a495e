import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { previewView } from "../../../service/api/preview-view.ts";
import { stageSection } from "../../../service/dashboard/stage-section.ts";
import { NO_INTENTS } from "../../../service/intents.ts";
import type { Promotion } from "../../../service/stages/promotion.ts";
import { aPreview, COMMIT } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const KEY = "shop:production";
const PAGE = "/previews/shop%3Aproduction";
const AT = "2026-11-21T10:00:00.000Z";
const SHA = "a".repeat(40);
const promotion: Promotion = { sha: SHA, from: "staging", by: "<b>ana", at: AT, dueAt: AT, approvals: [] };

function aStage(more: { readonly promotion?: Promotion } = {}) {
  const {
    number: _none,
    pullRequest: _no,
    ...preview
  } = aPreview({
    urls: { web: "http://production-shop.localhost:4000" },
  });
  return { ...preview, key: KEY, intents: { ...NO_INTENTS, ...more } };
}

describe("a promotion on a stage's page", () => {
  let edge: AppEdge;
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    edge = await startApp();
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
    edge.store.put(aStage({ promotion }));
  });
  afterEach(() => edge.close());

  const page = async () => (await edge.ask({ path: PAGE, headers: { cookie } })).body;
  const post = (path: string, form: string, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: `${PAGE}/${path}`,
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });

  it("is shown with who asked, and buttons that approve that commit or cancel", async () => {
    const body = await page();
    assert.match(body, /&#60;b&#62;ana asked for aaaaaaa of staging/);
    assert.match(
      body,
      new RegExp(
        `name="sha" value="${SHA}"[\\s\\S]*name="at" value="${AT}"[\\s\\S]*Approve this promotion[\\s\\S]*Cancel the promotion`,
      ),
    );
    assert.doesNotMatch((await edge.ask({ path: PAGE })).body, /Approve this promotion/);
  });

  it("is approved and cancelled behind a question, of the commit that was shown", async () => {
    const asked = await post("promote", `action=approve-promotion&sha=${SHA}&csrf=${csrf}`);
    assert.match(asked.body, /Approve the promotion of commit aaaaaaaaaaaa to shop:production\?/);
    assert.deepEqual(edge.acts, []);
    const yes = `confirmed=yes&csrf=${csrf}`;
    assert.equal((await post("promote", `action=approve-promotion&sha=${SHA}&at=${AT}&${yes}`)).status, 303);
    assert.equal((await post("promote", `action=cancel-promotion&sha=${SHA}&at=${AT}&${yes}`)).status, 303);
    assert.equal((await post("promote", `action=promote&from=staging&sha=${SHA}&${yes}`)).status, 303);
    assert.deepEqual(edge.acts, [
      `approve-promotion ${KEY} ${SHA} ${AT} by page`,
      `cancel-promotion ${KEY} ${SHA} ${AT} by page`,
      `promote ${KEY} staging by page`,
    ]);
  });

  it("says of one that went back that the next promotion ends that, and nothing of a pull request", async () => {
    const from = { from: "staging", by: "ada", at: AT, approvals: [] };
    const rolledBack = { sha: COMMIT, head: SHA, by: "itself", at: AT };
    const stage = aStage();
    edge.store.put({
      ...stage,
      status: { ...stage.status, headSha: SHA },
      intents: { ...stage.intents, promoted: { ...from, sha: SHA }, rolledBack },
    });
    const body = await page();
    assert.match(body, /Rolled back to 0123456 by itself; the next promotion ends that\./);
    assert.doesNotMatch(body, /a push follows|Comment on the pull request/);
  });

  it("offers no link to share while nothing serves", async () => {
    const { status, ...stage } = aStage();
    edge.store.put({ ...stage, gitBranch: "", status: { ...status, live: undefined, outputs: {} } });
    assert.doesNotMatch(await page(), /Share link|Application log|>branch/);
  });

  it("is refused without the session, its token, a commit, or for another action", async () => {
    const form = `action=approve-promotion&sha=${SHA}&confirmed=yes`;
    assert.equal((await post("promote", `${form}&csrf=${csrf}`, {})).status, 403);
    assert.equal((await post("promote", form)).status, 403);
    assert.equal((await post("promote", `action=approve-promotion&sha=main&confirmed=yes&csrf=${csrf}`)).status, 400);
    assert.equal((await post("promote", `action=down&sha=${SHA}&confirmed=yes&csrf=${csrf}`)).status, 400);
    assert.deepEqual(edge.acts, []);
  });

  it("is offered where one may come, and where none may the reason is", () => {
    const session = { csrf, name: "page", role: "admin" } as const;
    const view = previewView(aStage(), { promotable: { from: "staging", sha: SHA } });
    assert.match(
      stageSection(view, session).markup,
      /data-question="Promote commit aaaaaaaaaaaa[^>]*>Promote aaaaaaa</,
    );
    const none = previewView(aStage(), { promotable: { from: "staging", problem: "it is there already." } });
    assert.match(stageSection(none, session).markup, /it is there already\./);
    assert.doesNotMatch(stageSection(none, session).markup, /<button/);
    assert.equal(stageSection(previewView(aPreview({})), session).markup, "");
  });

  it("stands beside the verbs that a stage has, and none that end it or empty its database", async () => {
    const body = await page();
    assert.match(body, /Take down shop:production\? The stage and its database are removed, with all that is in it\./);
    assert.doesNotMatch(body, /Reset database|>Keep<|Extend by/);
  });
});
