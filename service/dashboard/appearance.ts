/** Light, dark, or as the machine says: kept in a cookie, so that a page comes as it stays. */
import type { Request, Router } from "express";
import { cookieOf } from "../api/access.ts";
import { type Html, html } from "../html.ts";
import { fieldOf, form } from "./posted.ts";

const APPEARANCES = ["auto", "light", "dark"] as const;
export type Appearance = (typeof APPEARANCES)[number];

const COOKIE = "stackling-appearance";
const YEAR_MS = 365 * 86_400_000;
const NAMES: Readonly<Record<Appearance, string>> = { auto: "Automatic", light: "Light", dark: "Dark" };

export function appearanceOf({ headers }: Pick<Request, "headers">): Appearance {
  const said = cookieOf(headers.cookie, COOKIE);
  return APPEARANCES.find((one) => one === said) ?? "auto";
}

/** Goes round: automatic, light, dark. */
export function appearanceSwitch(now: Appearance, backTo: string): Html {
  const next = APPEARANCES[(APPEARANCES.indexOf(now) + 1) % APPEARANCES.length] ?? "auto";
  return html`<form method="post" action="/appearance"><input type="hidden" name="back" value="${backTo}"><button class="quiet" name="appearance" value="${next}" aria-label="Appearance: ${NAMES[now].toLowerCase()}. Change to ${NAMES[next].toLowerCase()}"><span aria-hidden="true">◐ ${NAMES[now]}</span></button></form>`;
}

/** For everybody, and of no weight: another site's page may not post here all the same. */
export function appearancePages(pages: Router): void {
  pages.post("/appearance", form, (request, response) => {
    const said = APPEARANCES.find((one) => one === fieldOf(request, "appearance")) ?? "auto";
    response.cookie(COOKIE, said, { maxAge: YEAR_MS, sameSite: "lax", httpOnly: true, path: "/" });
    response.redirect(303, ownPath(fieldOf(request, "back")));
  });
}

/** A path of this host, whatever was posted: anything else is the list. */
export function ownPath(said: string | undefined): string {
  const base = "http://here.invalid";
  if (said === undefined || !/^\/(?![/\\])/.test(said) || !URL.canParse(said, base)) return "/";
  const { origin, pathname, search } = new URL(said, base);
  return origin === base && !pathname.startsWith("//") ? pathname + search : "/";
}
