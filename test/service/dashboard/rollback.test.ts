import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { NO_INTENTS } from "../../../service/intents.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const PAGE = "/previews/shop%2342";
const AT = "2026-11-21T10:00:00.000Z";
const [GOOD, HEAD] = ["a".repeat(40), "b".repeat(40)] as [string, string];
const served = [GOOD, HEAD].map((sha) => ({ sha, at: AT }));

describe("a rollback on a preview's page", () => {
  let edge: AppEdge;
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    edge = await startApp();
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
    put({});
  });
  afterEach(() => edge.close());

  function put(more: { readonly rolledBackTo?: string; readonly schema?: unknown }): void {
    const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } });
    const { live, outputs } = preview.status;
    assert.ok(live);
    const status = {
      ...preview.status,
      headSha: HEAD,
      served,
      live: { ...live, database: { baseline: "shop" } },
      outputs: { ...outputs, schema: more.schema },
    };
    const rolledBack = more.rolledBackTo && { sha: more.rolledBackTo, head: HEAD, by: "@ada", at: AT };
    edge.store.put({ ...preview, status, intents: { ...NO_INTENTS, ...(rolledBack ? { rolledBack } : {}) } });
  }
  const page = async () => (await edge.ask({ path: PAGE, headers: { cookie } })).body;
  const post = (form: string, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: `${PAGE}/rollback`,
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });

  it("offers what served before, and the head where somebody rolled back", async () => {
    const body = await page();
    assert.match(body, new RegExp(`value="${GOOD}"[^>]*data-question="[^"]*is lost\\."`));
    assert.doesNotMatch(body, /Follow the head|Rolled back/);
    assert.doesNotMatch((await edge.ask({ path: PAGE })).body, /Roll back/);
    put({ rolledBackTo: GOOD });
    const back = await page();
    assert.match(back, new RegExp(`value="${HEAD}"[^>]*>Follow the head`));
    assert.match(back, /Rolled back to aaaaaaa by @ada; a push follows the head again\./);
  });

  it("is asked about first, for data may be lost, and said to be done", async () => {
    const asked = await post(`sha=${GOOD}&csrf=${csrf}`);
    assert.match(asked.body, new RegExp(`Bring shop#42 to commit aaaaaaa\\?[\\s\\S]*name="sha" value="${GOOD}"`));
    assert.deepEqual(edge.acts, []);
    assert.equal((await post(`sha=${GOOD}&confirmed=yes&csrf=${csrf}`)).status, 303);
    assert.deepEqual(edge.acts, [`rollback shop#42 ${GOOD} by page`]);
    const { body } = await edge.ask({ path: `${PAGE}?done=rollback`, headers: { cookie } });
    assert.match(body, /shop#42 is brought to the commit that you chose\./);
  });

  it("is refused without the session, its token or a commit", async () => {
    assert.equal((await post(`sha=${GOOD}&confirmed=yes&csrf=${csrf}`, {})).status, 403);
    assert.equal((await post(`sha=${GOOD}&confirmed=yes`)).status, 403);
    assert.equal((await post(`sha=main&confirmed=yes&csrf=${csrf}`)).status, 400);
    assert.deepEqual(edge.acts, []);
  });

  it("stands beside what migrations changed, in which no name is markup", async () => {
    assert.doesNotMatch(await page(), /Database schema/);
    const changes = [{ change: "dropped", kind: "table", name: "<img src=x>" }];
    put({ schema: { changes, counts: { added: 0, changed: 0, dropped: 3 } } });
    const body = await page();
    assert.match(body, /Database schema: 3 dropped[\s\S]*Against the baseline &#34;shop&#34;/);
    assert.match(body, /<b>dropped table <code>&#60;img src=x&#62;<\/code><\/b>[\s\S]*and 2 more/);
  });
});
