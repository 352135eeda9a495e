/** Login by a link that works once, and logout. */
import type { Router } from "express";
import { type AccessDeps, cookieOf } from "../api/access.ts";
import type { Answering } from "./answering.ts";
import { expiredPage, refusedPage } from "./notices.ts";
import { actorOf, form } from "./posted.ts";

export interface SessionDeps extends AccessDeps {
  readonly homeUrl: string;
}

export function sessionPages(
  pages: Router,
  deps: SessionDeps,
  { frameOf, send }: Pick<Answering, "frameOf" | "send">,
): void {
  pages.get("/login/:code", async (request, response) => {
    const cookie = deps.sessions.redeem(String(request.params.code));
    if (cookie === undefined) return send(response, 403, expiredPage(await frameOf(request)));
    response.cookie(deps.cookieName, cookie, cookieOptions(deps));
    response.redirect(303, "/");
  });
  pages.post("/logout", form, async (request, response) => {
    if (!actorOf(deps, request)) return send(response, 403, refusedPage(await frameOf(request)));
    const cookie = cookieOf(request.headers.cookie, deps.cookieName);
    if (cookie !== undefined) deps.sessions.end(cookie);
    response.clearCookie(deps.cookieName, cookieOptions(deps));
    response.redirect(303, "/");
  });
}

function cookieOptions({ homeUrl }: SessionDeps) {
  // Not "strict": on localhost a link from a preview's host comes from another site. What changes anything is a POST.
  return { httpOnly: true, sameSite: "lax", path: "/", secure: homeUrl.startsWith("https:") } as const;
}
