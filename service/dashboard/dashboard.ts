/** The pages: a list, one page per preview, login. Rendered here, made lively by one small script. */
import express, { type Request, type Response, type Router } from "express";
import { type AccessDeps, cookieOf, visitorOf } from "../api/access.ts";
import { type Actions, act, actionRequest } from "../api/actions.ts";
import { previewView, type ViewExtras } from "../api/preview-view.ts";
import { plainError, type Streams } from "../api/streams.ts";
import type { Operate } from "../operate.ts";
import { type Session, sameSecret } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { detailPage } from "./detail-page.ts";
import { type Html, html } from "./html.ts";
import { layout } from "./layout.ts";
import { detailHref, listPage } from "./list-page.ts";

export interface DashboardDeps extends AccessDeps {
  readonly store: Pick<Store, "list" | "find" | "findByStack" | "history">;
  readonly actions: Actions;
  readonly operate: Pick<Operate, "pause">;
  readonly streams: Streams;
  readonly extras: (preview: Preview) => Promise<ViewExtras>;
  readonly homeUrl: string;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");
const HISTORY_SHOWN = 30;
const ASSETS = new URL("./assets/", import.meta.url).pathname;

export function createDashboard(deps: DashboardDeps): Router {
  const { store } = deps;
  const pages = express.Router();
  pages.use("/assets", express.static(ASSETS, { index: false, redirect: false, maxAge: "5m", setHeaders: harden }));
  pages.use((_request, response, next) => {
    harden(response);
    response.setHeader("Cache-Control", "no-store");
    next();
  });

  pages.get("/", async (request, response) => {
    const previews = (await store.list()).map((preview) => previewView(preview));
    send(
      response,
      200,
      listPage({ previews, pause: await deps.operate.pause(), session: sessionOf(deps, request), now: new Date() }),
    );
  });
  pages.get("/previews/:key", async (request, response) => {
    const preview = await named(deps, request);
    const session = sessionOf(deps, request);
    if (!preview) return send(response, 404, missingPage(session));
    const view = previewView(preview, session ? await deps.extras(preview) : {});
    const history = session ? await store.history(preview.key, HISTORY_SHOWN) : [];
    send(response, 200, detailPage({ view, history, session, now: new Date() }));
  });
  pages.post("/previews/:key/actions", form, async (request, response) => {
    if (!mayAct(deps, request)) return send(response, 403, refusedPage());
    const preview = await named(deps, request);
    if (!preview) return send(response, 404, missingPage(sessionOf(deps, request)));
    const wish = actionRequest.safeParse({ action: fieldOf(request, "action") });
    if (!wish.success) return send(response, 400, refusedPage());
    try {
      await act(deps.actions, preview.key, wish.data, "page");
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, sessionOf(deps, request)));
    }
    response.redirect(303, detailHref(preview.key));
  });
  // Says only that something changed; what, the page asks for with its own rights.
  pages.get("/live", async (request, response) => {
    const { key } = request.query;
    let changes = 0;
    await deps.streams.changes(response, {
      key: typeof key === "string" ? key : undefined,
      describe: async () => {
        changes += 1;
        return { state: changes, last: false };
      },
    });
  });
  pages.get("/login/:code", (request, response) => {
    const cookie = deps.sessions.redeem(request.params.code);
    if (cookie === undefined) return send(response, 403, expiredPage());
    response.cookie(deps.cookieName, cookie, cookieOptions(deps));
    response.redirect(303, "/");
  });
  pages.post("/logout", form, (request, response) => {
    if (!mayAct(deps, request)) return send(response, 403, refusedPage());
    const cookie = cookieOf(request.headers.cookie, deps.cookieName);
    if (cookie !== undefined) deps.sessions.end(cookie);
    response.clearCookie(deps.cookieName, cookieOptions(deps));
    response.redirect(303, "/");
  });
  return pages;
}

const form = express.urlencoded({ extended: false, limit: "8kb", parameterLimit: 20 });

function cookieOptions({ homeUrl }: DashboardDeps) {
  return { httpOnly: true, sameSite: "strict", path: "/", secure: homeUrl.startsWith("https:") } as const;
}

function sessionOf(deps: AccessDeps, request: Request): Session | undefined {
  const visitor = visitorOf(deps, request);
  return visitor.kind === "session" ? visitor.session : undefined;
}

function mayAct(deps: AccessDeps, request: Request): boolean {
  const session = sessionOf(deps, request);
  return session !== undefined && sameSecret(fieldOf(request, "csrf") ?? "", session.csrf);
}

function fieldOf({ body }: Request, name: string): string | undefined {
  const fields: unknown = body;
  if (typeof fields !== "object" || fields === null || !Object.hasOwn(fields, name)) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(fields, name)?.value;
  return typeof value === "string" ? value : undefined;
}

async function named({ store }: DashboardDeps, request: Request): Promise<Preview | undefined> {
  const key = String(request.params.key);
  return (await store.find(key)) ?? (await store.findByStack(key));
}

function harden(response: { setHeader(name: string, value: string): unknown }): void {
  response.setHeader("Content-Security-Policy", POLICY);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Robots-Tag", "noindex, nofollow");
  response.setHeader("Referrer-Policy", "same-origin");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
}

function send(response: Response, status: number, page: Html): void {
  response.status(status).type("html").send(page.markup);
}

function missingPage(session: Session | undefined): Html {
  return notice("No such preview", "It may have been removed after its pull request was closed.", session);
}

function expiredPage(): Html {
  return notice(
    "This login link does not work any more",
    "A link works once and for ten minutes. Ask the service for a new one.",
  );
}

function refusedPage(): Html {
  return notice("That was refused", "The session has ended or the page is old. Go back, reload it, and try again.");
}

function failedPage(message: string, session: Session | undefined): Html {
  return notice("That could not be done", message, session);
}

function notice(title: string, text: string, session?: Session): Html {
  const live = html`<div class="card empty"><h1>${title}</h1><p class="soft">${text}</p><p><a href="/">All previews</a></p></div>`;
  return layout({ title, session, liveUrl: "", live });
}
