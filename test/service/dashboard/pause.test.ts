import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type AppEdge, startApp } from "../app/app-edge.ts";

describe("the kill switch on the pages", () => {
  let edge: AppEdge;
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    edge = await startApp();
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
  });
  afterEach(() => edge.close());

  const stopAs = (by: string) =>
    edge.api({
      path: "/pause",
      method: "POST",
      body: JSON.stringify({ paused: true, by }),
      headers: { "content-type": "application/json" },
    });
  const page = async () => (await edge.ask({ path: "/", headers: { cookie } })).body;
  /** As the form on the page now has it. */
  const shown = async () => {
    const text = await page();
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? "";
    return new URLSearchParams({ action: "resume-all", at: field("at"), by: field("by"), csrf });
  };
  const post = (form: string) =>
    edge.ask({
      path: "/pause",
      method: "POST",
      body: form,
      headers: { "content-type": "application/x-www-form-urlencoded", cookie },
    });

  it("ends the stop that was shown, and no other", async () => {
    await stopAs("ada");
    const form = await shown();
    assert.match((await post(`${form}`)).body, /Let everything go on\?[\s\S]*name="by" value="ada"/);
    await stopAs("budget whole");
    const refused = await post(`${form}&confirmed=yes`);
    assert.equal(refused.status, 422);
    assert.match(refused.body, /&#34;budget whole&#34; stops it since/);
    assert.match(await page(), /Everything is stopped/);
    assert.equal((await post(`action=resume-all&confirmed=yes&csrf=${csrf}`)).status, 400, "an older page");
    assert.equal((await post(`${await shown()}&confirmed=yes`)).status, 303);
    assert.doesNotMatch(await page(), /Everything is stopped/);
    assert.equal((await post(`${form}&confirmed=yes`)).status, 303, "again, it is as was asked");
  });

  it("says that it lifts the budget that stopped everything", async () => {
    await stopAs("ada");
    assert.doesNotMatch(await page(), /lifts it/);
    await stopAs("budget whole");
    const question = /The budget &#34;whole&#34; stopped it: this lifts it until the month ends/;
    assert.match(await page(), question);
    assert.match((await post(`${await shown()}`)).body, question);
  });
});
