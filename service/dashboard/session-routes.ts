/** Login by a link that works once, or elsewhere; and logout. */
import type { Request, Response, Router } from "express";
import { type AccessDeps, cookieOf } from "../api/access.ts";
import { createRefusals } from "../api/refusals.ts";
import { neighbourhood } from "../attempts.ts";
import type { Audit } from "../audit.ts";
import { BACK_PATH } from "../gateway/access/own-paths.ts";
import { type Html, html } from "../html.ts";
import type { Finished, PageLogin } from "../login/login.ts";
import type { LoggedIn } from "../session.ts";
import type { Answering } from "./answering.ts";
import { ownPath } from "./appearance.ts";
import { type Frame, layout } from "./layout.ts";
import { expiredPage, refusedPage } from "./notices.ts";
import { actorOf, form } from "./posted.ts";

export interface SessionDeps extends AccessDeps {
  readonly homeUrl: string;
  readonly audit: Pick<Audit, "record">;
  readonly addressOf: (request: Request) => string;
  readonly login?: PageLogin;
  readonly onError: (error: unknown) => void;
}

/**
 * Of the page where somebody logs in to come back to another one. Whose session is good and bears no right any more is
 * led to the provider at once, which mostly sends them back as quickly, with what they may do now.
 */
export function loginHref({ sessions, cookieName }: AccessDeps, backTo: string, request: Request): string {
  const cookie = cookieOf(request.headers.cookie, cookieName);
  const isKnown = cookie !== undefined && sessions.find(cookie)?.who !== undefined;
  if (isKnown && request.method === "GET") return `/login/start?${new URLSearchParams({ to: backTo })}`;
  return backTo === "/" ? "/login" : `/login?${new URLSearchParams({ to: backTo })}`;
}

export function sessionPages(
  pages: Router,
  deps: SessionDeps,
  { frameOf, send }: Pick<Answering, "frameOf" | "send">,
): void {
  const { login } = deps;
  const noteRefusal = createRefusals(deps.audit);
  const note = (request: Request, actor: string, how: Noted) => {
    const address = deps.addressOf(request);
    const what = {
      actor,
      action: how.action ?? "login",
      ...(how.detail ? { detail: how.detail } : {}),
      via: "page",
      ...(address ? { address } : {}),
    } as const;
    // Whoever has an account at the provider, or makes one after the other, gets so far.
    if (how.refused) return noteRefusal(what, neighbourhood(address));
    return deps.audit.record({ ...what, outcome: "done" });
  };
  /** Always another cookie than the one that was brought, and the end of that one. */
  const begin = (request: Request, response: Response, cookie: string) => {
    endSession(deps, request);
    response.cookie(deps.cookieName, cookie, cookieOptions(deps));
  };

  if (login) loginPages(pages, { ...deps, login, frameOf, send, note, begin });
  pages.get("/login/:code", async (request, response) => {
    const cookie = deps.sessions.redeem(String(request.params.code));
    if (cookie === undefined) return send(response, 403, expiredPage(await frameOf(request)));
    begin(request, response, cookie);
    await note(request, "page", { detail: "by a printed link" });
    response.redirect(303, "/");
  });
  pages.post("/logout", form, async (request, response) => {
    const actor = actorOf(deps, request);
    if (!actor) return send(response, 403, refusedPage(await frameOf(request)));
    endSession(deps, request);
    response.clearCookie(deps.cookieName, cookieOptions(deps));
    await note(request, actor.name, { action: "logout" });
    response.redirect(303, login ? "/login" : "/");
  });
}

interface Noted {
  /** Default: `login`. */
  readonly action?: "logout";
  readonly detail?: string;
  readonly refused?: true;
}

interface LoginPages extends SessionDeps, Pick<Answering, "frameOf" | "send"> {
  readonly login: PageLogin;
  readonly note: (request: Request, actor: string, how: Noted) => Promise<void>;
  readonly begin: (request: Request, response: Response, cookie: string) => void;
}

function loginPages(pages: Router, deps: LoginPages): void {
  const { login, frameOf, send } = deps;
  pages.get("/login", async (request, response) => {
    const to = pathOf(request.query.to);
    const frame = await frameOf(request);
    if (frame.session) return response.redirect(303, to);
    send(response, 200, loginPage({ login, to, frame }));
  });

  // A link and no form: the policy of the pages lets forms go to ourselves alone, redirects among them.
  pages.get("/login/start", async (request, response) => {
    const to = pathOf(request.query.to);
    try {
      const { url, cookie } = await login.begin(to);
      const { name, seconds } = login.cookie;
      response.cookie(name, cookie, { ...cookieOptions(deps), maxAge: seconds * 1000 });
      response.redirect(303, url);
    } catch (error) {
      deps.onError(error);
      send(response, 503, loginPage({ login, to, notice: "broken", frame: await frameOf(request) }));
    }
  });

  pages.get(BACK_PATH, async (request, response) => {
    response.clearCookie(login.cookie.name, cookieOptions(deps));
    // The address holds a code.
    response.setHeader("Referrer-Policy", "no-referrer");
    const refuse = async (notice: keyof typeof NOTICES, status = 403, to = "/", name?: string) =>
      send(
        response,
        status,
        loginPage({ login, to, notice, ...(name ? { name } : {}), frame: await frameOf(request) }),
      );
    let finished: Finished;
    try {
      finished = await login.finish(request);
    } catch (error) {
      deps.onError(error);
      return refuse("broken", 503);
    }
    const to = ownPath(finished.to);
    if (finished.kind !== "welcome") return refuse(finished.kind, 403, to);
    const { who, rights } = finished;
    const detail = `with ${login.label}`;
    const cookie = rights && deps.sessions.open(who);
    if (!rights || cookie === undefined) {
      await deps.note(request, who.name, { detail, refused: true });
      return refuse(rights ? "large" : "nobody", 403, to, who.name);
    }
    deps.begin(request, response, cookie);
    await deps.note(request, who.name, { detail: `${detail}, as ${rights.role}` });
    response.redirect(303, to);
  });
}

const NOTICES = {
  unknown: "That login did not begin in this browser, or too long ago.",
  denied: "It was not finished.",
  stranger: "It came to nothing: try again.",
  broken: "It does not answer as it should; the log of the service says more.",
  nobody: "You may not do anything here. Ask whoever runs Stackling (dashboard.roles).",
  large:
    "You may see more repositories than a session can name. Ask whoever runs Stackling to name you in dashboard.roles.",
} as const;

interface LoginPage {
  readonly login: Pick<PageLogin, "label">;
  readonly to: string;
  readonly notice?: keyof typeof NOTICES;
  /** Who logged in and is refused. */
  readonly name?: LoggedIn["name"];
  readonly frame: Frame;
}

function loginPage({ login: { label }, to, notice, name, frame }: LoginPage): Html {
  const start = `/login/start?${new URLSearchParams({ to })}`;
  const live = html`<div class="card empty"><h1>Sign in</h1>
${notice && html`<p role="alert"><b>${name && html`You are ${name}. `}${NOTICES[notice]}</b></p>`}
<p><a class="button primary" href="${start}">Sign in with ${label}</a></p>
<p class="soft">Whoever runs Stackling can also print a login link: <code>stackling open</code>.</p></div>`;
  // Nothing of what goes on is said to strangers.
  const { pause: _pause, ...quiet } = frame;
  return layout({ title: "Sign in", frame: quiet, liveUrl: "", live });
}

function pathOf(said: unknown): string {
  const path = ownPath(typeof said === "string" ? said : undefined);
  return path.startsWith("/login") ? "/" : path;
}

function endSession({ sessions, cookieName }: AccessDeps, { headers }: Request): void {
  const cookie = cookieOf(headers.cookie, cookieName);
  if (cookie !== undefined) sessions.end(cookie);
}

function cookieOptions({ homeUrl }: Pick<SessionDeps, "homeUrl">) {
  // Not "strict": on localhost a link from a preview's host comes from another site. What changes anything is a POST.
  return { httpOnly: true, sameSite: "lax", path: "/", secure: homeUrl.startsWith("https:") } as const;
}
