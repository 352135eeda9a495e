/** `/api/v1`: JSON for the CLI, other programs and our own pages. Every call but its description needs a token or a session. */
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import { z } from "zod";
import { EVERYTHING, may } from "../roles.ts";
import { sameSecret } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { callerIn, callerOf, endWithRight, isForeign, type Visitor, type Visitors, visitorOf } from "./access.ts";
import { createDoing, type Doing } from "./doing.ts";
import { FORBIDDEN, NotFound, PROBLEM_TYPE, problemOf, Refused } from "./problem.ts";
import type { Call, Route } from "./route.ts";
import { type RoutesDeps, routesOf } from "./routes.ts";

export interface ApiDeps extends RoutesDeps {
  readonly visitors: Pick<Visitors, "identify" | "of" | "again">;
  readonly store: Pick<Store, "list" | "find" | "findByStack" | "history" | "receipts" | "counters">;
  readonly onError: (error: unknown) => void;
}

export function createApi(deps: ApiDeps): Router {
  const api = express.Router();
  const routes = routesOf(deps);
  api.use(harden);
  // The same for everybody, and tools ask for it without a token.
  let document: Promise<string> | undefined;
  api.get("/openapi.json", async (_request, response) => {
    document ??= import("./openapi.ts").then(({ documentOf }) => JSON.stringify(documentOf(routes, deps.cookieName)));
    response.type("json").send(await document);
  });
  // Here, so that it is said as everything else of a call when the store that knows its token does not answer.
  api.use(deps.visitors.identify);
  api.use(guard(deps));
  api.use(express.json({ limit: "64kb", strict: true }));
  const doing = createDoing(deps);
  for (const route of routes) api[route.method](route.path, notingRefusals(doing, route, runOf(deps, route)));
  api.use(() => {
    throw new NotFound("calling the API: there is no such address");
  });
  api.use(asProblem(deps));
  return api;
}

type Run = (request: Request, response: Response) => Promise<void>;

function runOf(deps: ApiDeps, route: Route): Run {
  const { answer } = route;
  return async (request, response) => {
    const visitor = visitorOf(deps, request);
    const caller = callerOf(deps, request);
    if (!caller || (route.tokenOnly && visitor.kind !== "token"))
      throw new Refused(401, "Unauthorized", `calling "${route.id}": a token is needed`);
    const where = route.where === "everything" ? EVERYTHING : undefined;
    if (!may(caller, route.may, where)) throw forbidden(route, caller.repositories !== undefined);
    let seen: Preview | undefined;
    const call: Call = {
      request,
      response,
      caller,
      query: undefined,
      body: undefined,
      param: (name) => String(request.params[name]),
      preview: async () => {
        const preview = await named(deps, request);
        if (!may(caller, "look", preview.repository)) throw noSuch(String(request.params.key));
        if (!may(caller, route.may, preview.repository)) throw forbidden(route, true);
        seen = preview;
        return preview;
      },
    };
    if (answer.type !== undefined) {
      const isStill = (now: Visitor) => isUnknown(now) || may(callerIn(now), route.may, where ?? seen?.repository);
      endWithRight(response, async () => isStill(await deps.visitors.again(request)));
    }
    const body = await route.handle(call);
    if (answer.type === undefined) response.status(answer.status).json(body);
  };
}

/** Of those calls that carry one. */
const verbOf = z.object({ action: z.string().regex(/^[a-z-]{1,40}$/) });

/** What somebody has no right to is in the audit, with the preview that it was wished for. */
function notingRefusals(doing: Pick<Doing, "refused">, { id }: Route, run: Run): Run {
  return async (request, response) => {
    try {
      await run(request, response);
    } catch (error) {
      if (error instanceof Refused && error.reason === FORBIDDEN) {
        const { key } = request.params;
        const of = typeof key === "string" ? { key } : {};
        const { action: verb } = verbOf.safeParse(request.body).data ?? {};
        const detail = `${verb === undefined ? "" : `${verb}: `}${error.userMessage}`;
        await doing.refused(request, { action: id, ...of, detail });
      }
      throw error;
    }
  };
}

/** Not looked up, for what others send from the same address. */
function isUnknown(visitor: Visitor): boolean {
  return visitor.kind === "anyone" && visitor.retryAfterSeconds !== undefined;
}

async function named({ store }: ApiDeps, request: Request): Promise<Preview> {
  const key = String(request.params.key);
  const preview = (await store.find(key)) ?? (await store.findByStack(key));
  if (preview) return preview;
  throw noSuch(key);
}

function noSuch(key: string): NotFound {
  return new NotFound(`finding a preview: there is none with the key "${key.slice(0, 200)}"`);
}

function forbidden({ id, may: deed }: Route, isLimited: boolean): Refused {
  const needed = deed === "administer" ? "an admin" : deed === "operate" ? "an operator" : "a viewer";
  const where = isLimited ? ", and of more than the repositories that yours are" : "";
  return new Refused(403, FORBIDDEN, `calling "${id}": the right of ${needed} is needed${where}`);
}

const harden: RequestHandler = (_request, response, next) => {
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  next();
};

/** Token or session, and no page of another site; a session that changes something must send its CSRF value. */
function guard(deps: ApiDeps): RequestHandler {
  return (request, response, next) => {
    if (isForeign(request)) throw new Refused(403, "ForeignOrigin", "calling the API: another site's page may not");
    // An address stands in logs, histories and other sites' referrers.
    if (TOKEN_NAMES.some((name) => name in request.query))
      throw new Refused(400, "TokenInAddress", "calling the API: a token belongs into the header Authorization");
    const visitor = visitorOf(deps, request);
    if (visitor.kind === "anyone") {
      const { retryAfterSeconds: wait } = visitor;
      const many = `calling the API: too many wrong tokens came from your address; try again in ${wait} s`;
      if (wait !== undefined) throw new Refused(429, "TooManyWrongTokens", many, wait);
      response.setHeader("WWW-Authenticate", 'Bearer realm="stackling"');
      throw new Refused(401, "Unauthorized", "calling the API: a valid token is needed");
    }
    const reads = request.method === "GET" || request.method === "HEAD";
    if (visitor.kind === "session" && !reads) {
      const given = request.get("x-csrf-token") ?? "";
      if (!sameSecret(given, visitor.session.csrf))
        throw new Refused(403, "CsrfMismatch", "calling the API: reload the page first");
    }
    next();
  };
}

const TOKEN_NAMES = ["token", "access_token", "api_key", "authorization"];

function asProblem({ onError }: Pick<ApiDeps, "onError">): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(error);
    if (problem.status >= 500) onError(error);
    if (error instanceof Refused && error.retryAfterSeconds !== undefined)
      response.setHeader("Retry-After", error.retryAfterSeconds);
    response.status(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
  };
}
