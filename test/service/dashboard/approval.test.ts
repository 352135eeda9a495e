import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const NEWER = "89abcdef0123456789abcdef0123456789abcdef";
const PAGE = "/previews/shop%2342";
const WAITING = {
  condition: "Stalled",
  reason: "ApprovalNeeded",
  message: "Nothing of it runs.",
  headSha: NEWER,
} as const;

describe("the approval of a stranger's commit on its page", () => {
  let edge: AppEdge;
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ status: WAITING }));
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
  });
  afterEach(() => edge.close());

  const page = async (headers: Readonly<Record<string, string>> = { cookie }) =>
    (await edge.ask({ path: PAGE, headers })).body;
  const post = (form: string, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: `${PAGE}/approve`,
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });

  it("is offered for the commit that is shown, with a link to what it changes, to who is logged in", async () => {
    const shown = await page();
    assert.match(shown, new RegExp(`name="sha" value="${NEWER}"`));
    assert.match(shown, new RegExp(`href="https://forge.example/acme/shop/pull/42/commits/${NEWER}"`));
    assert.match(shown, /data-question="Approve commit 89abcdef0123 of shop#42 by ada\? /);
    assert.doesNotMatch(await page({}), new RegExp(`approve|${NEWER}`, "i"));
  });

  it("is asked for twice, bound to that commit, and said when it is done", async () => {
    const asked = await post(`sha=${NEWER}&linked={}&csrf=${csrf}`);
    assert.match(asked.body, /Approve commit 89abcdef0123 of shop#42[\s\S]*name="sha" value="89ab/);
    assert.deepEqual(edge.acts, []);
    const done = await post(`sha=${NEWER}&linked={}&confirmed=yes&csrf=${csrf}`);
    assert.equal(done.status, 303);
    assert.deepEqual(edge.acts, [`approve shop#42 ${NEWER} with {} by page`]);
    assert.match((await edge.ask({ path: `${PAGE}?done=approve`, headers: { cookie } })).body, /The commit may run/);
  });

  it("names the commits of others that it is an approval of as well", async () => {
    const links = [
      { said: "acme/api#7", key: "api#7", headSha: "c".repeat(40), url: "https://forge.example/acme/api/pull/7" },
      { said: "acme/api#8", problem: "Of that repository acme/api#7 is named before it." },
    ];
    edge.store.put(aPreview({ status: { ...WAITING, links } }));
    const shown = await page();
    assert.match(
      shown,
      /at <code>cccccccccccc<\/code> of <a href="[^"]*\/acme\/api\/pull\/7">acme\/api#7<\/a>, which runs/,
    );
    assert.match(shown, /It counts for these commits alone/);
    const heads = JSON.stringify({ "api#7": "c".repeat(40) });
    const field = `name="linked" value="${heads.replaceAll('"', "&#34;")}"`;
    assert.ok(shown.includes(field));
    const asked = await post(`sha=${NEWER}&linked=${encodeURIComponent(heads)}&csrf=${csrf}`);
    assert.match(asked.body, /of shop#42 by ada, with cccccccccccc of acme\/api#7\? Its code/);
    assert.ok(asked.body.includes(field));
    await post(`sha=${NEWER}&linked=${encodeURIComponent(heads)}&confirmed=yes&csrf=${csrf}`);
    assert.deepEqual(edge.acts, [`approve shop#42 ${NEWER} with ${heads} by page`]);
    const { body } = await edge.ask({ path: `${PAGE}?done=approve`, headers: { cookie } });
    assert.match(body, /The approval is noted: shop#42 is built without the operator(&#39;|')s secrets once nothing/);
  });

  it("of a trusted one under a rule says who approved it already, and nothing of secrets", async () => {
    const given = [{ by: "@grace", at: "2026-11-21T10:00:00.000Z" }];
    const approval = { sha: NEWER, given, lacks: "1 of 2 approvals" };
    edge.store.put(aPreview({ status: { ...WAITING, approval } }));
    const shown = await page();
    assert.match(shown, new RegExp(`name="sha" value="${NEWER}"`));
    assert.match(shown, /<dt>Approved<\/dt><dd><code>89abcde<\/code> by @grace<\/dd>/);
    assert.doesNotMatch(shown, /none of the operator's secrets/);
    assert.match((await edge.ask({ path: `${PAGE}?done=approve`, headers: { cookie } })).body, /The approval is noted/);
  });

  it("is refused without the session, without its token, from another site and without a whole commit", async () => {
    const form = `sha=${NEWER}&confirmed=yes`;
    assert.equal((await post(`${form}&csrf=${csrf}`, {})).status, 403);
    assert.equal((await post(form)).status, 403);
    assert.equal(
      (await post(`${form}&csrf=${csrf}`, { cookie, origin: "http://pr-42-shop.localhost:4000" })).status,
      403,
    );
    for (const sha of ["", "89abcde", `${NEWER}0`, "main"]) {
      assert.equal((await post(`sha=${sha}&linked={}&confirmed=yes&csrf=${csrf}`)).status, 400, sha);
    }
    for (const linked of ["", "[]", '{"api#7":"main"}', "{"]) {
      const fields = `sha=${NEWER}&linked=${encodeURIComponent(linked)}`;
      assert.equal((await post(`${fields}&confirmed=yes&csrf=${csrf}`)).status, 400, linked);
    }
    assert.deepEqual(edge.acts, []);
  });

  it("is offered no more once nothing waits, and then the page says on whose word it runs", async () => {
    const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } });
    const { live } = preview.status;
    assert.ok(live);
    const approved = { sha: live.source.commit, by: "@grace", at: "2026-11-21T10:00:00.000Z" };
    edge.store.put({
      ...preview,
      intents: { ...preview.intents, approved },
      status: { ...preview.status, live: { ...live, untrusted: { isolated: false } } },
    });
    const shown = await page();
    assert.doesNotMatch(shown, /Approve this commit/);
    assert.match(shown, /approved by @grace; without the operator's secrets; not kept apart/);
  });
});
