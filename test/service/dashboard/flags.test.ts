import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const PAGE = "/previews/shop%2342";

describe("the feature flags on a preview's page", () => {
  let edge: AppEdge;
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    edge = await startApp();
    const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } });
    const { live } = preview.status;
    assert.ok(live);
    const flags = {
      checkout: { value: false, default: false },
      theme: { value: "light", default: "light", values: ["light", "dark"] },
      greeting: { value: "hi", default: "hi" },
    };
    edge.store.put({
      ...preview,
      status: { ...preview.status, live: { ...live, flags } },
      intents: { ...preview.intents, flags: { theme: "dark" } },
    });
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
  });
  afterEach(() => edge.close());

  const post = (form: string, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: `${PAGE}/flags`,
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });

  it("show which value each has, has next, and on whose word", async () => {
    const { body } = await edge.ask({ path: PAGE, headers: { cookie } });
    assert.match(body, /value="false" aria-pressed="true" aria-label="checkout false">off</);
    assert.match(body, /value="dark" aria-pressed="true" aria-label="theme dark">dark</);
    assert.match(body, /default light, by a person, from the next version on/);
    assert.match(body, /<input name="value" value="hi"[^>]*aria-label="greeting">/);
    assert.equal(body.match(/take back/g)?.length, 1);
    assert.doesNotMatch((await edge.ask({ path: PAGE })).body, /checkout/);
  });

  it("are set, and taken back, and the page says so", async () => {
    assert.equal((await post(`name=checkout&value=true&csrf=${csrf}`)).headers.location, `${PAGE}?done=flag`);
    assert.equal((await post(`name=greeting&value=${encodeURIComponent(" hello ")}&csrf=${csrf}`)).status, 303);
    assert.equal((await post(`name=theme&value=dark&back=yes&csrf=${csrf}`)).status, 303);
    assert.deepEqual(edge.acts, [
      "flag shop#42 checkout=true by page",
      "flag shop#42 greeting=hello by page",
      "flag shop#42 theme=undefined by page",
    ]);
    const { body } = await edge.ask({ path: `${PAGE}?done=flag`, headers: { cookie } });
    assert.match(body, /The flag of shop#42 is set; the next version has it\./);
  });

  it("are refused without the session, its token, a name or a value", async () => {
    assert.equal((await post(`name=checkout&value=true&csrf=${csrf}`, {})).status, 403);
    assert.equal((await post("name=checkout&value=true")).status, 403);
    assert.equal((await post(`value=true&csrf=${csrf}`)).status, 400);
    assert.equal((await post(`name=greeting&value=&csrf=${csrf}`)).status, 400);
    assert.deepEqual(edge.acts, []);
  });
});
