import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { ConflictError } from "../../../components/errors.ts";
import type { Actions } from "../../../service/api/actions.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const PAGE = "/previews/shop%2342";

describe("a comparison with the world from a preview's page", () => {
  let edge: AppEdge;
  let cookie = "";
  let csrf = "";
  const begin = async (drift?: Actions["drift"]) => {
    edge = await startApp();
    if (drift) edge.actions.drift = drift;
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
    edge.store.put(aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } }));
  };
  afterEach(() => edge.close());

  const compare = (body: string, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: `${PAGE}/drift`,
      method: "POST",
      body,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });
  const page = async (query = "", headers: Readonly<Record<string, string>> = { cookie }) =>
    (await edge.ask({ path: `${PAGE}${query}`, headers })).body;

  it("is offered to who may act, begins, and says where its result appears", async () => {
    await begin();
    assert.match(await page(), /action="\/previews\/shop%2342\/drift"[\s\S]*Compare with the world/);
    assert.doesNotMatch(await page("", {}), /Compare with the world/);
    const { status, headers } = await compare(`csrf=${csrf}`);
    assert.deepEqual([status, headers.location], [303, `${PAGE}?done=compare`]);
    assert.deepEqual(edge.acts, ["drift shop#42"]);
    assert.match(await page("?done=compare"), /shop#42 is being compared with the world/);
  });

  it("lets nobody wait for one that takes long", async () => {
    const ended = Promise.withResolvers<Awaited<ReturnType<Actions["drift"]>>>();
    await begin(() => ended.promise);
    assert.equal((await compare(`csrf=${csrf}`)).status, 303);
    ended.resolve({ differences: [] });
  });

  it("says why it cannot begin", async () => {
    await begin(async () => {
      throw new ConflictError({ reason: "StackLocked", userMessage: "an engine runs on it now" });
    });
    const { status, body } = await compare(`csrf=${csrf}`);
    assert.equal(status, 422);
    assert.match(body, /an engine runs on it now/);
  });

  it("is refused without a session and without its token", async () => {
    await begin();
    assert.equal((await compare(`csrf=${csrf}`, {})).status, 403);
    assert.equal((await compare("csrf=other")).status, 403);
    assert.deepEqual(edge.acts, []);
  });
});
