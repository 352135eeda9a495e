/** What a token is worth over time: while others behind its address send wrong ones, and once it is revoked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { StacklingError } from "../../../components/errors.ts";
import { eventually } from "../../support/eventually.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "./app-edge.ts";

/** Longer than a stream goes on without a look at the right to it. */
const LOOK_MS = 30_000;

describe("a token of the API", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.store.put(aPreview({}));
  });
  afterEach(() => edge.close());

  const make = async (name: string) => (await edge.tokens.create({ name, role: "viewer" }, "test")).token;
  const list = (token: string) => edge.ask({ path: "/api/v1/previews", headers: { authorization: `Bearer ${token}` } });

  it("is let through while others behind its address send wrong ones, until it is revoked itself", async () => {
    const [known, fresh, wrong] = [await make("known"), await make("fresh"), await make("wrong")];
    assert.equal((await list(known)).status, 200);
    await edge.tokens.revoke("wrong");
    let last = 0;
    for (let tries = 0; tries < 40 && last !== 429; tries += 1) last = (await list(wrong)).status;
    assert.equal(last, 429);
    assert.equal((await list(known)).status, 200, "one that was right before");
    assert.equal((await list(fresh)).status, 429, "one that may be a guess");
    await edge.tokens.revoke("known");
    assert.equal((await list(known)).status, 401);
    assert.equal((await list(known)).status, 429, "wrong like any other from then on");
  });

  for (const path of ["/previews/shop%2342/logs?follow=1", "/previews/shop%2342/events"]) {
    it(`ends what goes on by it soon after it is revoked: ${path}`, async () => {
      mock.timers.enable({ apis: ["setInterval"] });
      try {
        const token = await make("reader");
        const request = httpRequest({
          port: edge.port,
          host: "127.0.0.1",
          path: `/api/v1${path}`,
          agent: false,
          headers: { host: "localhost:4000", authorization: `Bearer ${token}` },
        }).end();
        const [answer] = (await once(request, "response")) as [IncomingMessage];
        assert.equal(answer.statusCode, 200);
        answer.on("error", () => {}).resume();
        mock.timers.tick(LOOK_MS);
        assert.equal((await list(token)).status, 200);
        assert.equal(answer.destroyed, false, "while it holds");
        await edge.tokens.revoke("reader");
        mock.timers.tick(LOOK_MS);
        await eventually(() => answer.destroyed, { what: "the answer's end" });
      } finally {
        mock.timers.reset();
      }
    });
  }
});

describe("while the store does not answer", () => {
  const away = new StacklingError({ reason: "StoreUnavailable", userMessage: "asking the store: it does not answer" });
  const fail = async () => {
    throw away;
  };
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
  });
  afterEach(() => edge.close());

  it("a call with a token of somebody's is told to come again, as the document of the API says", async () => {
    const { token } = await edge.tokens.create({ name: "ci", role: "viewer" }, "test");
    Object.assign(edge.tokens, { callerOf: fail });
    const { status, body } = await edge.ask({
      path: "/api/v1/previews",
      headers: { authorization: `Bearer ${token}` },
    });
    assert.deepEqual([status, JSON.parse(body).reason], [503, "StoreUnavailable"]);
    assert.deepEqual(edge.errors, [away]);
  });

  it("a page says that, and not that something went wrong", async () => {
    Object.assign(edge.store, { current: fail });
    const { status, body } = await edge.ask({ path: "/" });
    assert.deepEqual([status, body], [503, "asking the store: it does not answer\n"]);
  });
});

describe("the doctor", () => {
  it("is asked once by all who ask at a time, for each look costs calls to every forge", async () => {
    let [asked, arrived] = [0, 0];
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const edge = await startApp({
      async doctor() {
        asked += 1;
        await ready;
        return [];
      },
      addressOf: () => {
        arrived += 1;
        return "";
      },
    });
    try {
      const { token } = await edge.tokens.create({ name: "ci", role: "viewer" }, "test");
      const look = () => edge.ask({ path: "/api/v1/doctor", headers: { authorization: `Bearer ${token}` } });
      const looks = [look(), look(), look()];
      await eventually(() => arrived === looks.length);
      // Behind them in every queue.
      await edge.ask({ path: "/api/v1/pause", headers: { authorization: `Bearer ${token}` } });
      resolve();
      for (const { status } of await Promise.all(looks)) assert.equal(status, 200);
      assert.equal(asked, 1);
      assert.equal((await look()).status, 200);
      assert.equal(asked, 2);
    } finally {
      await edge.close();
    }
  });
});

describe("what somebody may not do", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.store.put(aPreview({}));
  });
  afterEach(() => edge.close());

  const refused = () =>
    edge.audit.entries
      .filter(({ outcome }) => outcome === "refused")
      .map(({ at: _at, address: _from, ...rest }) => rest);
  const looker = async (name = "looker") => {
    const { token } = await edge.tokens.create({ name, role: "viewer" }, "test");
    return (path: string, method = "POST", body = "{}") =>
      edge.ask({
        path: `/api/v1${path}`,
        method,
        ...(method === "POST" ? { body } : {}),
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      });
  };

  it("stands in the audit: who, what, of which preview, and what was missing", async () => {
    const call = await looker();
    assert.equal((await call("/previews/shop%2342/actions", "POST", '{"action":"wake"}')).status, 403);
    assert.equal((await call("/audit", "GET")).status, 403);
    const needs = (right: string) => `the right of ${right} is needed`;
    assert.deepEqual(refused(), [
      {
        actor: "token looker",
        via: "api",
        action: "act",
        key: "shop#42",
        detail: `wake: calling "act": ${needs("an operator")}`,
        outcome: "refused",
      },
      {
        actor: "token looker",
        via: "api",
        action: "listAudit",
        detail: `calling "listAudit": ${needs("an admin")}`,
        outcome: "refused",
      },
    ]);
    assert.deepEqual(edge.acts, []);
  });

  it("stands there for pages, too", async () => {
    const at = new Date().toISOString();
    const cookie = edge.sessions.open({ provider: "test", name: "@ada", at, ids: ["viewer"] }) ?? "";
    const headers = { cookie: `stackling-4000=${cookie}` };
    assert.equal((await edge.ask({ path: "/tokens", headers })).status, 403);
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const form = { method: "POST", headers: { ...headers, ...type }, body: "action=down" };
    assert.equal((await edge.ask({ ...form, path: "/previews/shop%2342/actions" })).status, 403);
    assert.deepEqual(
      refused().map(({ actor, via, action, key }) => [actor, via, action, key]),
      [
        ["@ada", "page", "get /tokens", undefined],
        ["@ada", "page", "post /previews/:key/actions", "shop#42"],
      ],
    );
  });

  it("stands there once for who tries it again and again, and no more than so often for who tries everything", async () => {
    const [call, other] = [await looker(), await looker("other")];
    for (let tries = 0; tries < 3; tries += 1) await call("/audit", "GET");
    assert.equal(refused().length, 1);
    for (let name = 0; name < 60; name += 1) await call(`/tokens/t${name}`, "DELETE");
    for (let number = 0; number < 60; number += 1) {
      edge.store.put(aPreview({ number }));
      await call(`/previews/shop%23${number}/actions`, "POST", '{"action":"wake"}');
    }
    assert.ok(refused().length <= 20, String(refused().length));
    const before = refused().length;
    await other("/audit", "GET");
    assert.equal(refused().length, before + 1, "which hides nobody else's");
  });
});
