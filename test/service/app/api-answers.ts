/** The API's table of routes beside the running one, and every answer held against it. */
import assert from "node:assert/strict";
import type { Router } from "express";
import { createVisitors } from "../../../service/api/access.ts";
import { createApi } from "../../../service/api/api.ts";
import { PROBLEM_TYPE, problemSchema } from "../../../service/api/problem.ts";
import type { Route } from "../../../service/api/route.ts";
import { routesOf } from "../../../service/api/routes.ts";
import { createStreams } from "../../../service/api/streams.ts";
import type { AppDeps } from "../../../service/app.ts";
import { createDashboard } from "../../../service/dashboard/dashboard.ts";
import { routesIn } from "../../../service/dashboard/rules.ts";
import type { Answer, Ask } from "../gateway/edge.ts";

export interface Described {
  readonly routes: readonly Route[];
  /** As express has them: method and path. */
  readonly registered: readonly (readonly [method: string, path: string])[];
  /** Of the pages. */
  readonly pages: readonly (readonly [method: string, path: string])[];
}

export function apiOf(deps: AppDeps): Described {
  const cookieName = "stackling-4000";
  const visitors = createVisitors({ ...deps, cookieName });
  const parts = { ...deps, visitors, cookieName, streams: createStreams(deps), loginUrl: (code: string) => code };
  const registered = createApi(parts).stack.flatMap(({ route }) =>
    route ? route.stack.map(({ method }) => [method, route.path] as const) : [],
  );
  const inside = createDashboard(parts).stack.flatMap(({ handle }) =>
    "stack" in handle ? routesIn(handle as Router) : [],
  );
  const pages = inside.filter(([, path]) => !path.startsWith("/assets/"));
  return { routes: routesOf(parts), registered, pages };
}

/** Fails where an answer is not what the document says of it. */
export function checkAnswer(routes: readonly Route[], { path = "/", method = "GET" }: Ask, answer: Answer): void {
  if (!path.startsWith("/api/v1/") || path.startsWith("/api/v1/openapi.json") || answer.status === 421) return;
  if (answer.status >= 400) {
    assert.match(String(answer.headers["content-type"]), new RegExp(`^${PROBLEM_TYPE.replace("+", "\\+")}`));
    assert.equal(problemSchema.parse(JSON.parse(answer.body)).status, answer.status);
    return;
  }
  const asked = path.slice("/api/v1".length).split("?")[0] ?? "";
  const route = routes.find((one) => one.method === method.toLowerCase() && shapeOf(one).test(asked));
  assert.ok(route, `${method} ${asked} is none of the table`);
  assert.equal(answer.status, route.answer.status, `${method} ${asked}`);
  // A file is text, or bytes, and no more is said of it.
  if (route.answer.type === "text/csv") return;
  const bodies = route.answer.type === undefined ? [answer.body] : answer.body.split("\n").filter(Boolean);
  for (const body of bodies) {
    const { error } = route.answer.schema.safeParse(JSON.parse(body.replace(/^data: /, "")));
    assert.equal(error, undefined, `${method} ${asked}: ${error?.message}`);
  }
}

function shapeOf({ path }: Route): RegExp {
  return new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`);
}
