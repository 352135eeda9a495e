import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
import { aPreview, COMMIT } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "./app-edge.ts";

const URLS = { web: "http://pr-42-shop.localhost:4000", api: "http://pr-42-api-shop.localhost:4000" };
const JSON_TYPE = { "content-type": "application/json" };

describe("API", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ urls: { api: URLS.api, web: URLS.web } }));
  });
  afterEach(() => edge.close());

  it("lists and shows previews", async () => {
    const list = await edge.api({ path: "/previews" });
    assert.equal(list.status, 200);
    const [view] = JSON.parse(list.body).previews;
    assert.equal(view.key, "shop#42");
    assert.equal(view.url, URLS.web);
    assert.equal(view.stage, "Active");
    assert.equal(view.commit, COMMIT);
    for (const key of ["shop%2342", "shop-pr-42"]) {
      const one = JSON.parse((await edge.api({ path: `/previews/${key}` })).body);
      assert.equal(one.key, "shop#42");
      assert.match(one.comment, /Ready/);
    }
  });

  it("answers 401 without the token and 403 to another site's page", async () => {
    const path = "/api/v1/previews";
    for (const authorization of [undefined, "Bearer wrong", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, "Bearer "]) {
      const answer = await edge.ask({ path, headers: authorization === undefined ? {} : { authorization } });
      assert.equal(answer.status, 401);
      assert.equal(JSON.parse(answer.body).reason, "Unauthorized");
    }
    const foreign: readonly Record<string, string>[] = [
      { origin: "http://pr-42-shop.localhost:4000" },
      { origin: "null" },
      { "sec-fetch-site": "same-site" },
    ];
    for (const headers of foreign) {
      assert.equal((await edge.api({ path: "/previews", headers })).status, 403);
    }
    assert.equal((await edge.api({ path: "/previews", headers: { origin: "http://localhost:4000" } })).status, 200);
  });

  it("refuses a line's number that no log reaches, before the store has to", async () => {
    const path = "/previews/shop%2342/deployments/latest/log?after=";
    for (const after of ["2147483648", "9e99", "-1", "1.5"]) {
      assert.equal((await edge.api({ path: `${path}${after}` })).status, 400, after);
    }
    assert.equal((await edge.api({ path: `${path}2147483647` })).status, 404, "there is no deployment");
  });

  it("stops everything and lets it go on, and shows it on the page", async () => {
    const ask = async (call: { readonly method?: string; readonly body?: string }) =>
      JSON.parse((await edge.api({ path: "/pause", headers: JSON_TYPE, ...call })).body).pause;
    const page = async () => (await edge.ask({ path: "/" })).body;
    assert.equal(await ask({}), null);
    assert.equal((await ask({ method: "POST", body: '{"paused":true}' })).by, "api");
    assert.equal((await ask({})).by, "api");
    assert.equal((await ask({ method: "POST", body: '{"paused":true,"by":"ada"}' })).by, "ada");
    assert.match(await page(), /Everything is stopped/);
    const seen = { at: (await ask({})).at, by: "budget whole" };
    const other = { path: "/pause", method: "POST", headers: JSON_TYPE, body: JSON.stringify({ paused: false, seen }) };
    const refused = await edge.api(other);
    assert.deepEqual([refused.status, JSON.parse(refused.body).reason], [409, "StoppedByOther"]);
    assert.equal((await ask({})).by, "ada");
    assert.equal(await ask({ method: "POST", body: '{"paused":false}' }), null);
    assert.equal((await edge.api(other)).status, 202, "again, it is as was asked");
    assert.doesNotMatch(await page(), /Everything is stopped/);
  });

  it("sweeps as it is asked, and refuses what is no wish", async () => {
    const post = (body: unknown) =>
      edge.api({ path: "/sweep", method: "POST", body: JSON.stringify(body), headers: JSON_TYPE });
    assert.equal(JSON.parse((await post({ dryRun: true })).body).report.dryRun, true);
    assert.equal((await post({ confirm: ["shop#7"] })).status, 200);
    assert.deepEqual(edge.acts, ['sweep {"dryRun":true}', 'sweep {"dryRun":false,"confirm":["shop#7"]}']);
    for (const wrong of [{ confirm: [] }, { confirm: false }, { dryrun: true }])
      assert.equal((await post(wrong)).status, 400);
    assert.equal((await edge.api({ path: "/sweep" })).status, 200);
  });

  it("writes down who builds a baseline and who looks into one, for it holds what people are called", async () => {
    for (const what of ["build", "check"])
      await edge.api({ path: `/baselines/shop/${what}`, method: "POST", body: "{}", headers: JSON_TYPE });
    assert.deepEqual(
      edge.audit.entries.map(({ action, detail }) => `${action} ${detail}`),
      ["baseline build shop", "baseline check shop"],
    );
  });

  it("takes every action and refuses what is none", async () => {
    const path = "/previews/shop%2342/actions";
    const wishes = [
      { action: "redeploy" },
      { action: "down" },
      { action: "sleep" },
      { action: "wake" },
      { action: "keep" },
      { action: "extend", seconds: 3600 },
      { action: "reset-db" },
      { action: "seed", scenario: "team" },
      { action: "rotate" },
      { action: "rollback" },
      { action: "rollback", sha: COMMIT.slice(0, 7), keepDatabase: true },
      { action: "flag", name: "theme", value: "dark" },
      { action: "approve", sha: COMMIT },
      { action: "look" },
    ];
    for (const wish of wishes) {
      const answer = await edge.api({ path, method: "POST", body: JSON.stringify(wish), headers: JSON_TYPE });
      assert.equal(answer.status, 202, wish.action);
    }
    assert.equal(edge.acts.length, wishes.length);
    assert.equal(edge.audit.entries.length, wishes.length - 1, "a look is none");
    assert.deepEqual(edge.audit.entries[5], {
      at: "2026-11-21T10:00:00.000Z",
      actor: "api",
      action: "extend",
      key: "shop#42",
      detail: "by 3600 s",
      via: "api",
      address: "127.0.0.1",
      outcome: "done",
    });
    assert.ok(edge.acts.includes("extend shop#42 3600 by api"));
    assert.ok(edge.acts.includes("flag shop#42 theme=dark by api"));
    const bad = [
      '{"action":"__proto__"}',
      '{"action":"constructor"}',
      "{",
      "null",
      '{"action":"down","extra":1}',
      '{"action":"extend","seconds":-1}',
      '{"action":"rollback","sha":"main"}',
      '{"action":"rollback","sha":"012345"}',
      '{"action":"approve"}',
      '{"action":"approve","sha":"0123456"}',
      `{"action":"approve","sha":"${COMMIT.replace("0", "g")}"}`,
    ];
    for (const body of bad) {
      const answer = await edge.api({ path, method: "POST", body, headers: JSON_TYPE });
      assert.equal(answer.status, 400, body);
      assert.equal(JSON.parse(answer.body).reason, "BadRequest");
    }
    assert.equal(edge.acts.length, wishes.length);
  });

  it("makes a share link, for a day unless it is said how long", async () => {
    const share = (body: object) =>
      edge.api({ path: "/previews/shop%2342/share", method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
    const made = await share({});
    assert.equal(made.status, 201);
    assert.deepEqual(JSON.parse(made.body), {
      key: "shop#42",
      url: "http://pr-42-shop.localhost:4000/.stackling/share/t0k3n",
      expiresAt: "2026-11-22T10:00:00.000Z",
      token: "t0k3n",
    });
    await share({ seconds: 3600, to: "/cart" });
    assert.deepEqual(edge.acts, ["share shop#42 86400 /", "share shop#42 3600 /cart"]);
    for (const wrong of [{ seconds: 1 }, { to: "https://evil.example" }, { for: "1h" }]) {
      assert.equal((await share(wrong)).status, 400);
    }
    const anyone = await edge.ask({
      path: "/api/v1/previews/shop%2342/share",
      method: "POST",
      headers: JSON_TYPE,
      body: "{}",
    });
    assert.equal(anyone.status, 401);
    assert.equal(edge.acts.length, 2);
  });

  it("makes a preview by hand", async () => {
    const body = JSON.stringify({ path: "/srv/any; rm -rf", ref: "feature/ü" });
    const answer = await edge.api({ path: "/previews", method: "POST", body, headers: JSON_TYPE });
    assert.equal(answer.status, 202);
    assert.deepEqual(edge.acts, ["up /srv/any; rm -rf feature/ü by api"]);
    const neither = await edge.api({ path: "/previews", method: "POST", body: "{}", headers: JSON_TYPE });
    assert.equal(neither.status, 400);
  });

  it("answers 404 as JSON for an unknown preview or address, and 400 for a broken one", async () => {
    for (const path of ["/previews/nope%2399", "/nothing"]) {
      const answer = await edge.api({ path });
      assert.equal(answer.status, 404);
      assert.equal(JSON.parse(answer.body).reason, "NotFound");
    }
    assert.equal((await edge.api({ path: "/previews/%ff" })).status, 400);
  });

  it("takes no token from an address, and asks no store any more for who sends many wrong ones", async () => {
    for (const query of [`token=${TOKEN}`, `access_token=${TOKEN}`]) {
      const { status, body } = await edge.ask({ path: `/api/v1/previews?${query}` });
      assert.deepEqual([status, JSON.parse(body).reason], [400, "TokenInAddress"]);
    }
    const wrong = () => edge.ask({ path: "/api/v1/previews", headers: { authorization: "Bearer stk_wrong" } });
    for (let times = 0; times < 30; times++) assert.equal((await wrong()).status, 401);
    const limited = await wrong();
    assert.equal(limited.status, 429);
    assert.ok(Number(limited.headers["retry-after"]) > 0);
    assert.equal((await edge.api({ path: "/previews" })).status, 200, "the instance's own is not counted");
  });

  it("lists page by page, each preview once though one comes and one goes, and by what is asked for", async () => {
    for (const number of [1, 2, 3, 4]) edge.store.put(aPreview({ number }));
    const keys: string[] = [];
    let path: string | undefined = "/previews?limit=2";
    while (path !== undefined) {
      const answer: Awaited<ReturnType<AppEdge["api"]>> = await edge.api({ path });
      keys.push(...JSON.parse(answer.body).previews.map(({ key }: { key: string }) => key));
      path = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    }
    assert.deepEqual(keys.sort(), ["shop#1", "shop#2", "shop#3", "shop#4", "shop#42"]);
    const count = async (query: string) =>
      JSON.parse((await edge.api({ path: `/previews?${query}` })).body).previews.length;
    assert.deepEqual([await count("repository=till"), await count("stage=Active")], [0, 1]);
    assert.equal((await edge.api({ path: "/previews?cursor=bm9uc2Vuc2U" })).status, 400);
    assert.equal((await edge.api({ path: "/previews?limit=0" })).status, 400);
  });

  it("streams log lines as they are and stops with the client", async () => {
    edge.lines.push({ service: "web", text: "listening" }, { service: "api", text: "<b>two</b>\u2028" });
    const answer = await edge.api({ path: "/previews/shop%2342/logs?tail=5" });
    assert.deepEqual(
      answer.body
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
      edge.lines,
    );
    const { request, response } = await open(edge.port, "/api/v1/previews/shop%2342/logs?follow=1");
    const [chunk] = await once(response, "data");
    assert.match(String(chunk), /listening/);
    request.destroy();
    assert.equal((await edge.api({ path: "/previews/shop%2342/logs?tail=-1" })).status, 400);
  });

  it("sends a preview's changes as events and ends when it is gone", async () => {
    const { response } = await open(edge.port, "/api/v1/previews/shop%2342/events");
    const events: string[] = [];
    for await (const chunk of response) {
      events.push(String(chunk));
      if (events.length === 1) await edge.store.setStatus("shop#42", { condition: "Stalled", reason: "BuildFailed" });
      if (events.length === 2)
        await edge.store.setStatus("shop#42", { reason: "Gone", goneAt: "2026-11-21T12:00:00.000Z" });
    }
    assert.equal(events.length, 3);
    assert.match(events[1] ?? "", /"BuildFailed"/);
    assert.match(events[2] ?? "", /"stage":"Gone"/);
  });

  it("says on /readyz what is away and stays alive", async () => {
    assert.equal((await edge.ask({ path: "/readyz", host: "10.0.0.7:4000" })).status, 200);
    await edge.close();
    edge = await startApp();
    edge.store.away = true;
    const answer = await edge.ask({ path: "/readyz" });
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(answer.body), {
      ready: false,
      away: ["store"],
      reasons: { store: "StoreUnavailable" },
    });
    assert.equal((await edge.ask({ path: "/healthz" })).status, 200);
    assert.equal((await edge.api({ path: "/previews" })).status, 500);
    edge.store.away = false;
    assert.equal((await edge.api({ path: "/previews" })).status, 200);
  });

  it("answers nothing under a name that is not its own", async () => {
    const answer = await edge.ask({
      path: "/api/v1/previews",
      host: "evil.example",
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(answer.status, 421);
  });
});

async function open(port: number, path: string) {
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path,
    agent: false,
    headers: { host: "localhost:4000", authorization: `Bearer ${TOKEN}` },
  });
  request.on("error", () => {});
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { request, response };
}
