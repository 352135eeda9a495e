/**
 * Who may open which page and send which form. One that has no rule here is for admins alone, and a test names it.
 */
import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import { type Deed, EVERYTHING, may } from "../roles.ts";
import type { Session } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Answering } from "./answering.ts";
import { forbiddenPage, missingPage, refusedPage } from "./notices.ts";

export interface Rule {
  /** `anyone`: also before a login. `shown`: to strangers too, as long as nobody can log in. */
  readonly may: Deed | "anyone" | "shown";
  /** The preview that `:key` names, the whole instance, or what of it they may. */
  readonly where: "preview" | "everything" | "anywhere";
}

const anyone: Rule = { may: "anyone", where: "anywhere" };
const onPreview = (deed: Rule["may"]): Rule => ({ may: deed, where: "preview" });
const onAll = (deed: Deed): Rule => ({ may: deed, where: "everything" });

export const PAGE_RULES: Readonly<Record<string, Rule>> = {
  "get /": { may: "shown", where: "anywhere" },
  "get /rows": { may: "shown", where: "anywhere" },
  "get /live": { may: "shown", where: "anywhere" },
  "get /previews/:key": onPreview("shown"),
  "get /previews/:key/menu": onPreview("shown"),
  "get /previews/:key/deployments/:id.txt": onPreview("look"),
  "post /previews/:key/actions": onPreview("operate"),
  "post /previews/:key/approve": onPreview("operate"),
  "post /previews/:key/drift": onPreview("operate"),
  "post /previews/:key/flags": onPreview("operate"),
  "post /previews/:key/seed": onPreview("operate"),
  "post /previews/:key/rollback": onPreview("operate"),
  "post /previews/:key/share": onPreview("operate"),
  "post /previews/:key/promote": onPreview("operate"),
  "get /services": onAll("look"),
  "get /trends": onAll("look"),
  "get /costs": { may: "look", where: "anywhere" },
  "post /costs/budgets": onAll("administer"),
  "get /kpis": { may: "look", where: "anywhere" },
  "get /repositories": onAll("look"),
  "get /doctor": onAll("look"),
  "get /sweep": onAll("operate"),
  "post /sweep": onAll("operate"),
  "post /pause": onAll("administer"),
  "get /github/new": onAll("administer"),
  "post /github/new": onAll("administer"),
  "get /github/created": onAll("administer"),
  "get /github/installed": onAll("administer"),
  "get /gitlab": onAll("administer"),
  "post /gitlab/connect": onAll("administer"),
  "get /gitlab/connected": onAll("administer"),
  "get /audit": onAll("administer"),
  "get /tokens": onAll("administer"),
  "post /tokens": onAll("administer"),
  "post /tokens/:name/revoke": onAll("administer"),
  "get /favicon.ico": anyone,
  "post /appearance": anyone,
  "get /login": anyone,
  "get /login/start": anyone,
  "get /login/:code": anyone,
  "get /.stackling/back": anyone,
  "post /logout": anyone,
};

const UNRULED: Rule = onAll("administer");

export interface GuardDeps extends Pick<Answering, "frameOf" | "send" | "doing"> {
  readonly sessionOf: (request: Request) => Session | undefined;
  /** Undefined for a key that there is not. */
  readonly named: (request: Request) => Promise<Preview | undefined>;
  /** Where somebody logs in to come back to a page; absent: nobody can, and lists are shown to strangers. */
  readonly loginHref?: (backTo: string, request: Request) => string;
}

/** Stands before every route that `pages` has by now, with the same paths. */
export function guardOf(pages: Router, deps: GuardDeps): Router {
  const guard = express.Router();
  for (const [method, path] of routesIn(pages)) {
    guard[method](path, before(`${method} ${path}`, deps));
  }
  return guard;
}

export function routesIn(pages: Router): readonly (readonly [method: "get" | "post", path: string])[] {
  return pages.stack.flatMap(({ route }) =>
    route ? route.stack.map(({ method }) => [method === "post" ? "post" : "get", route.path] as const) : [],
  );
}

function before(route: string, deps: GuardDeps): RequestHandler {
  const rule = PAGE_RULES[route] ?? UNRULED;
  const forbid = async (request: Request, response: Response) => {
    const { key } = request.params;
    await deps.doing.refused(request, { action: route, ...(typeof key === "string" ? { key } : {}) });
    deps.send(response, 403, forbiddenPage(await deps.frameOf(request)));
  };
  return async (request, response, next) => {
    if (rule.may === "anyone") return next();
    const session = deps.sessionOf(request);
    const [deed, isShown] = rule.may === "shown" ? (["look", true] as const) : [rule.may, false];
    if (!session) {
      if (isShown && !deps.loginHref) return next();
      if (request.method !== "GET") return deps.send(response, 403, refusedPage(await deps.frameOf(request)));
      if (!isNavigation(request)) return response.status(401).type("text").send("Reload the page.\n");
      return response.redirect(303, deps.loginHref?.(request.originalUrl, request) ?? "/");
    }
    const where = rule.where === "everything" ? EVERYTHING : undefined;
    if (!may(session, deed, where)) return forbid(request, response);
    if (rule.where !== "preview" || session.repositories === undefined) return next();
    const preview = await deps.named(request);
    const repository = preview?.repository ?? "";
    if (!may(session, "look", repository)) return deps.send(response, 404, missingPage(await deps.frameOf(request)));
    if (!may(session, deed, repository)) return forbid(request, response);
    next();
  };
}

/**
 * False for what a page's scripts ask for: a redirect would lead them to another site, which the page's policy refuses,
 * and begin a login that nobody sees. Browsers say the first of encrypted connections and localhost alone.
 */
function isNavigation(request: Request): boolean {
  const { "sec-fetch-dest": destination, "hx-request": byHtmx } = request.headers;
  return destination !== "empty" && byHtmx === undefined && request.accepts("html") !== false;
}
