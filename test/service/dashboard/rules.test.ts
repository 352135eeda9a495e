/** Every page and form against every kind of person, from the routes themselves. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PAGE_RULES } from "../../../service/dashboard/rules.ts";
import type { Role } from "../../../service/roles.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const LEAST: Readonly<Record<string, Role>> = {
  look: "viewer",
  shown: "viewer",
  operate: "operator",
  administer: "admin",
};
const NOW = new Date().toISOString();
const ORDER: readonly Role[] = ["viewer", "operator", "admin"];

describe("a page", () => {
  let edge: AppEdge;
  before(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } }));
    edge.store.put({ ...aPreview({ number: 3 }), key: "till#3", stack: "till-pr-3", repository: "till" });
  });
  after(() => edge.close());

  const cookieOf = (role: Role, reads?: readonly string[]) =>
    edge.sessions.open({ provider: "test", name: "@ada", at: NOW, ids: [role], ...(reads ? { reads } : {}) }) ?? "";
  const call = (method: string, path: string, cookie: string | undefined, key = "shop%2342") => {
    const csrf = cookie === undefined ? "" : (edge.sessions.find(cookie)?.csrf ?? "");
    const headers: Readonly<Record<string, string>> =
      cookie === undefined ? {} : { cookie: `stackling-4000=${cookie}` };
    const to = path.replace(":key", key).replace(":name", "none").replace(":code", "none");
    if (method === "get") return edge.ask({ path: to, headers });
    const type = { "content-type": "application/x-www-form-urlencoded" };
    return edge.ask({ path: to, method: "POST", headers: { ...headers, ...type }, body: `csrf=${csrf}` });
  };
  const sweep = (cookie: string, wish: string) =>
    edge.ask({
      path: "/sweep?role=admin",
      method: "POST",
      headers: { cookie: `stackling-4000=${cookie}`, "content-type": "application/x-www-form-urlencoded" },
      body: `csrf=${edge.sessions.find(cookie)?.csrf}&${wish}`,
    });
  /** Those that answer and end. */
  const asked = () => edge.pages.filter(([, path]) => path !== "/live" && path !== "/logout");

  it("has a rule", () => {
    const unruled = edge.pages.map(([method, path]) => `${method} ${path}`).filter((one) => !(one in PAGE_RULES));
    assert.deepEqual(unruled, []);
  });

  it("opens from its role on, and to a stranger only what is shown to them", async () => {
    for (const [method, path] of asked()) {
      const rule = PAGE_RULES[`${method} ${path}`];
      if (!rule || rule.may === "anyone") continue;
      const stranger = await call(method, path, undefined);
      if (rule.may !== "shown")
        assert.ok([303, 403].includes(stranger.status), `${method} ${path}: ${stranger.status}`);
      for (const role of ORDER) {
        const { body } = await call(method, path, cookieOf(role));
        const isRefused = body.includes("You may not do that");
        const least: Role = LEAST[rule.may] ?? "admin";
        assert.equal(isRefused, ORDER.indexOf(role) < ORDER.indexOf(least), `${method} ${path}: ${role}`);
      }
    }
  });

  it("of another repository is none to who is of one", async () => {
    const cookie = cookieOf("operator", ["shop"]);
    for (const [method, path] of asked()) {
      const rule = PAGE_RULES[`${method} ${path}`];
      if (rule?.where === "preview") assert.equal((await call(method, path, cookie, "till%233")).status, 404, path);
      if (rule?.where === "everything") assert.equal((await call(method, path, cookie)).status, 403, path);
    }
    const list = await call("get", "/", cookie);
    assert.match(list.body, /shop#42/);
    assert.doesNotMatch(list.body, /till#3/);
    const rows = await call("get", "/rows?key=till%233&key=shop%2342", cookie);
    assert.doesNotMatch(rows.body, /till/);
    const said = await call("get", "/?done=extend-24h&of=till%233", cookie);
    assert.doesNotMatch(said.body, /till#3/, "what was done to one that they may not see");
  });

  it("offers nobody what they may not do", async () => {
    const [viewer, operator] = [cookieOf("viewer"), cookieOf("operator")];
    const page = "/previews/:key";
    assert.doesNotMatch((await call("get", page, viewer)).body, /Take down|Share link/);
    assert.match((await call("get", page, operator)).body, /Take down/);
    assert.doesNotMatch((await call("get", "/", operator)).body, /Stop all previews|href="\/audit"|href="\/tokens"/);
    assert.match((await call("get", "/", cookieOf("admin"))).body, /Stop all previews/);
    const stray = { stack: "shop-pr-9", key: "shop#9", hasStack: true, things: [], why: "it is in no repository" };
    edge.strays.push({ ...stray, needsConfirmation: true });
    const found = async (cookie: string) => (await sweep(cookie, "action=look")).body;
    assert.doesNotMatch(await found(operator), /Remove shop#9/);
    assert.match(await found(operator), /An admin can remove it\./);
    assert.match(await found(cookieOf("admin")), /Remove shop#9/);
  });

  it("confirms what a sweep asks about for admins alone, whatever a form says", async () => {
    const confirm = (cookie: string) => sweep(cookie, "action=confirm&stack=shop-pr-9&confirmed=yes&role=admin");
    const before = edge.acts.length;
    assert.equal((await confirm(cookieOf("operator"))).status, 403);
    assert.equal(edge.acts.length, before);
    assert.equal((await confirm(cookieOf("admin"))).status, 200);
  });

  it("ends with the role: the next request is a stranger's", async () => {
    const cookie = edge.sessions.open({ provider: "test", name: "@ada", at: NOW, ids: ["fired"] }) ?? "";
    const { status, headers } = await call("get", "/services", cookie);
    assert.deepEqual([status, headers.location], [303, "/"]);
  });
});

describe("tokens and the audit on their pages", () => {
  let edge: AppEdge;
  let cookie: string;
  before(async () => {
    edge = await startApp();
    cookie = edge.sessions.redeem(edge.sessions.mint()) ?? "";
  });
  after(() => edge.close());

  const post = (path: string, fields: Readonly<Record<string, string>>) =>
    edge.ask({
      path,
      method: "POST",
      headers: { cookie: `stackling-4000=${cookie}`, "content-type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams({ csrf: edge.sessions.find(cookie)?.csrf ?? "", ...fields })),
    });
  const get = async (path: string) => (await edge.ask({ path, headers: { cookie: `stackling-4000=${cookie}` } })).body;

  it("shows a token once, and who made and revoked it", async () => {
    const made = await post("/tokens", { name: "ci", role: "operator", repositories: "shop, till", expires: "90d" });
    const [token = ""] = /stk_[\w-]{51}/.exec(made.body) ?? [];
    assert.equal(made.status, 201);
    const status = async () =>
      (await edge.ask({ path: "/api/v1/previews", headers: { authorization: `Bearer ${token}` } })).status;
    assert.equal(await status(), 200);
    assert.match(await get("/tokens"), /ci<\/th><td>operator<\/td><td>shop, till/);
    assert.doesNotMatch(await get("/tokens"), new RegExp(token));
    assert.match((await post("/tokens/ci/revoke", {})).body, /Are you sure/);
    assert.equal((await post("/tokens/ci/revoke", { confirmed: "yes" })).status, 303);
    assert.equal(await status(), 401);
    const audit = await get("/audit");
    assert.match(audit, /token revoke[\s\S]*token create/);
    assert.doesNotMatch(audit, new RegExp(token));
    assert.doesNotMatch(await get("/audit?action=token+create"), />token revoke</);
  });

  it("leads to those that are older, which are revoked like any other", async () => {
    const made = Array.from({ length: 201 }, (_, number) => `t${number}`);
    for (const name of made) await edge.tokens.create({ name, role: "viewer" }, "test");
    const newest = await get("/tokens");
    assert.doesNotMatch(newest, /Revoke t0\b/);
    const [, older = ""] = /href="([^"]+)" rel="next">Older</.exec(newest) ?? [];
    const oldest = await get(older);
    assert.match(oldest, /Revoke t0\b/);
    assert.doesNotMatch(oldest, /rel="next"|Revoke t200\b/);
    for (const name of made) await edge.tokens.revoke(name);
    assert.match(await get(older), /No older tokens/);
  });

  it("says what is wrong with a wish, and makes nothing", async () => {
    const wishes: readonly Readonly<Record<string, string>>[] = [
      { name: "<b>", role: "viewer" },
      { name: "ci", role: "root" },
      { name: "ci", role: "viewer", repositories: "nope" },
      { name: "ci", role: "admin", repositories: "shop" },
      { name: "ci", role: "viewer", expires: "soon" },
    ];
    for (const wrong of wishes) {
      assert.equal((await post("/tokens", wrong)).status, 422, JSON.stringify(wrong));
    }
    assert.equal((await edge.tokens.list({ limit: 10 })).tokens.length, 0);
  });
});
