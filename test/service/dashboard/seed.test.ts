import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const PAGE = "/previews/shop%2342";

describe("the choice of a seed on a preview's page", () => {
  let edge: AppEdge;
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    edge = await startApp();
    const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } });
    const { live } = preview.status;
    assert.ok(live);
    const database = { scenario: "demo", scenarios: ["demo", "empty"] };
    edge.store.put({ ...preview, status: { ...preview.status, live: { ...live, database } } });
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
  });
  afterEach(() => edge.close());

  const post = (form: string, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: `${PAGE}/seed`,
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });

  it("offers what there is, and says what is there", async () => {
    const { body } = await edge.ask({ path: PAGE, headers: { cookie } });
    assert.match(body, /Seeded with<\/dt><dd><code>demo<\/code>/);
    assert.match(body, /value="empty"[^>]*data-question="Seed shop#42 with &#34;empty&#34;\? [^"]*is lost\."/);
    assert.doesNotMatch((await edge.ask({ path: PAGE })).body, /Seed/);
  });

  it("asks first, for data are lost, and says when it is done", async () => {
    const asked = await post(`scenario=empty&csrf=${csrf}`);
    assert.match(asked.body, /what is in it is lost[\s\S]*name="scenario" value="empty"/);
    assert.deepEqual(edge.acts, []);
    assert.equal((await post(`scenario=empty&confirmed=yes&csrf=${csrf}`)).status, 303);
    assert.deepEqual(edge.acts, ["seed shop#42 empty by page"]);
    const { body } = await edge.ask({ path: `${PAGE}?done=seed`, headers: { cookie } });
    assert.match(body, /The database of shop#42 is made anew and seeded\./);
  });

  it("is refused without the session, its token or a name", async () => {
    assert.equal((await post(`scenario=empty&confirmed=yes&csrf=${csrf}`, {})).status, 403);
    assert.equal((await post("scenario=empty&confirmed=yes")).status, 403);
    assert.equal((await post(`scenario=${encodeURIComponent("a b")}&confirmed=yes&csrf=${csrf}`)).status, 400);
    assert.deepEqual(edge.acts, []);
  });
});
