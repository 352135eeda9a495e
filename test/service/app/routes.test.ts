/** Every call of the API against every kind of caller, from the table that the routes are made from. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { after, before, describe, it, mock } from "node:test";
import { documentOf, openPath } from "../../../service/api/openapi.ts";
import type { Route } from "../../../service/api/route.ts";
import type { Role } from "../../../service/roles.ts";
import { aPreview, COMMIT } from "../../support/previews.ts";
import type { Ask } from "../gateway/edge.ts";
import { type AppEdge, startApp } from "./app-edge.ts";

const JSON_TYPE = { "content-type": "application/json" };

/**
 * Least role of every call, and whether a token of `shop` alone does: what nobody wrote down here is no call that
 * anybody may make.
 */
const RULES: Readonly<Record<string, readonly [least: Role, ofOne: boolean]>> = {
  listPreviews: ["viewer", true],
  createPreview: ["operator", true],
  getPreview: ["viewer", true],
  getHistory: ["viewer", true],
  act: ["operator", true],
  compare: ["operator", true],
  look: ["operator", false],
  getLogs: ["viewer", true],
  watch: ["viewer", true],
  listDeployments: ["viewer", true],
  getDeploymentLog: ["viewer", true],
  lease: ["admin", false],
  share: ["operator", true],
  getPause: ["viewer", true],
  setPause: ["admin", false],
  getSweep: ["operator", false],
  sweep: ["operator", false],
  doctor: ["viewer", false],
  listServices: ["viewer", false],
  listRepositories: ["viewer", true],
  listCosts: ["viewer", true],
  exportCosts: ["viewer", true],
  listBudgets: ["viewer", true],
  liftBudget: ["admin", false],
  unliftBudget: ["admin", false],
  readKpis: ["viewer", true],
  listBaselines: ["viewer", false],
  buildBaseline: ["admin", false],
  checkBaseline: ["admin", false],
  listAudit: ["admin", false],
  listTokens: ["admin", false],
  createToken: ["admin", false],
  revokeToken: ["admin", false],
  createLoginLink: ["admin", false],
};

const BODIES: Readonly<Record<string, object>> = {
  createPreview: { repository: "shop" },
  act: { action: "approve", sha: COMMIT },
  look: { key: "shop#42" },
  share: {},
  setPause: { paused: false },
  sweep: { dryRun: true },
  liftBudget: { forSeconds: 3600 },
  createToken: { name: "another", role: "viewer" },
};

const ORDER: readonly Role[] = ["viewer", "operator", "admin"];

describe("a call of the API", () => {
  let edge: AppEdge;
  let routes: readonly Route[];
  before(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } }));
    edge.store.put({ ...aPreview({ number: 3 }), key: "till#3", stack: "till-pr-3", repository: "till" });
    routes = edge.routes;
  });
  after(() => edge.close());

  const tokenOf = async (role: Role, repositories?: readonly string[]) => {
    const name = `t-${role}-${repositories?.join("-") ?? "all"}-${Math.random().toString(36).slice(2, 8)}`;
    return (await edge.tokens.create({ name, role, ...(repositories ? { repositories } : {}) }, "test")).token;
  };
  const call = async (route: Route, token: string | undefined, key = "shop%2342") => {
    const ask = {
      path: `/api/v1${route.path.replace(":key", key).replace(":name", "none")}`,
      method: route.method.toUpperCase(),
      headers: { ...JSON_TYPE, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(route.method === "post" ? { body: JSON.stringify(BODIES[route.id] ?? {}) } : {}),
    };
    // What goes on for ever is let in or not; that is all that is asked here.
    return route.answer.type === "text/event-stream" ? headOf(edge.port, ask) : edge.ask(ask);
  };

  it("has a rule here, and every rule a call", () => {
    assert.deepEqual(Object.keys(RULES).sort(), routes.map(({ id }) => id).sort());
  });

  it("is refused to a stranger and to who has too low a role, and let through from the least one on", async () => {
    for (const route of routes) {
      const [least] = RULES[route.id] ?? ["admin"];
      assert.equal((await call(route, undefined)).status, 401, `${route.id}: a stranger`);
      for (const role of ORDER) {
        const { status, body } = await call(route, await tokenOf(role));
        const isRefused = status === 401 || status === 403;
        assert.equal(
          isRefused,
          ORDER.indexOf(role) < ORDER.indexOf(least),
          `${route.id}: ${role} got ${status} ${body}`,
        );
      }
    }
  });

  it("is let through to a token of one repository only where it is of that one", async () => {
    for (const route of routes) {
      const [least, ofOne] = RULES[route.id] ?? ["admin", false];
      const role = least === "admin" ? "operator" : least;
      const token = await tokenOf(role, ["shop"]);
      const { status } = await call(route, token);
      assert.equal(status === 403, !ofOne, `${route.id}: ${status}`);
      if (!route.path.includes(":key")) continue;
      assert.ok([403, 404].includes((await call(route, token, "till%233")).status), `${route.id} of another`);
    }
  });

  it("lists to a token of one repository that one's previews alone", async () => {
    const token = await tokenOf("viewer", ["till"]);
    const answer = await edge.ask({ path: "/api/v1/previews", headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual(
      JSON.parse(answer.body).previews.map(({ key }: { key: string }) => key),
      ["till#3"],
    );
  });

  it("brings up nothing from the machine, nor of another repository, for who is no admin", async () => {
    const route = routes.find(({ id }) => id === "createPreview");
    assert.ok(route);
    const up = async (token: string, body: object) =>
      (
        await edge.ask({
          path: "/api/v1/previews",
          method: "POST",
          headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        })
      ).status;
    const [all, one] = [await tokenOf("operator"), await tokenOf("operator", ["shop"])];
    assert.equal(await up(all, { path: "/srv/any" }), 403);
    assert.equal(await up(all, { repository: "/srv/any" }), 403);
    assert.equal(await up(one, { repository: "till" }), 403);
    assert.equal(await up(one, { repository: "shop" }), 202);
  });
});

/** Status of an answer that has no end. */
async function headOf(port: number, { path, method, headers }: Ask) {
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path,
    method,
    agent: false,
    headers: { host: "localhost:4000", ...headers },
  });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  request.on("error", () => {});
  request.destroy();
  return { status: response.statusCode ?? 0, body: "" };
}

describe("the OpenAPI document", () => {
  let edge: AppEdge;
  before(async () => {
    edge = await startApp();
  });
  after(() => edge.close());

  it("names every route of the router, and the router every route of it", async () => {
    const answer = await edge.ask({ path: "/api/v1/openapi.json" });
    assert.equal(answer.status, 200, "without a token");
    const document = JSON.parse(answer.body) as { paths: Record<string, Record<string, unknown>> };
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const routed = edge.registered
      .filter(([, path]) => path !== "/openapi.json")
      .map(([method, path]) => `${method} ${openPath(path)}`);
    assert.deepEqual(described.sort(), routed.sort());
  });

  it("is made once, for strangers may ask for it as often as they like", async () => {
    const made = mock.method(JSON, "stringify");
    try {
      const path = "/api/v1/openapi.json";
      const [first, second] = [await edge.ask({ path }), await edge.ask({ path })];
      assert.equal(second.body, first.body);
      const isDocument = (value: unknown) => typeof value === "object" && value !== null && "openapi" in value;
      assert.ok(made.mock.calls.filter(({ arguments: [value] }) => isDocument(value)).length <= 1);
    } finally {
      made.mock.restore();
    }
  });

  it("describes the session's cookie by the name that it has here, and a file in each of its types", async () => {
    const { body } = await edge.ask({ path: "/api/v1/openapi.json" });
    const { components, paths } = JSON.parse(body);
    assert.equal(components.securitySchemes.session.name, "stackling-4000");
    const cookie = `stackling-4000=${edge.sessions.redeem(edge.sessions.mint())}`;
    assert.equal((await edge.ask({ path: "/api/v1/previews", headers: { cookie } })).status, 200);
    const { content } = paths["/costs/export"].get.responses["200"];
    for (const format of ["csv", "parquet"]) {
      const { headers } = await edge.api({ path: `/costs/export?format=${format}` });
      const [type = ""] = String(headers["content-type"]).split(";");
      assert.ok(type in content, format);
    }
    assert.deepEqual(content["text/csv"].schema, { type: "string" });
    assert.equal(content["application/vnd.apache.parquet"].schema.format, "binary");
  });

  it("says of every call who may, what it takes and what it answers", async () => {
    const { paths, components } = documentOf(edge.routes, "stackling-4000");
    assert.ok(components?.schemas?.Preview && components.schemas.Problem);
    for (const [path, item] of Object.entries(paths ?? {})) {
      for (const operation of Object.values(item as Record<string, { operationId: string; description: string }>)) {
        assert.match(operation.description, /The role `(viewer|operator|admin)` is needed/, path);
      }
    }
    const ids = edge.routes.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
