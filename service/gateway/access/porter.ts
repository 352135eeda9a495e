/**
 * Stands at the door of every preview that not everybody may see: lets through, asks, or refuses, before
 * anything else is done or told of the preview.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { cookieOf, isForeign } from "../../api/access.ts";
import type { LoginKeys } from "../../login-keys.ts";
import { hostNameOf, type Route, type Routes } from "../routes.ts";
import { clientAddress, type Networks } from "./address.ts";
import { type AppRelay, refuseRelay } from "./app-relay.ts";
import { type DoorNotice, sendDoorPage } from "./door-page.ts";
import { readForm } from "./form.ts";
import { type Brought, refusalOf, SHARED } from "./guard.ts";
import { createLogin } from "./login.ts";
import { sendLogoutPage } from "./login-page.ts";
import { BYPASS_COOKIE, BYPASS_HEADER, cookieName, ownPathOf, SHARE_PATH } from "./own-paths.ts";
import type { Passes } from "./passes.ts";
import { addressWithin } from "./redirect.ts";
import { createSeededLogin, isClickedHere } from "./seeded-login.ts";

export interface PorterDeps {
  readonly passes: Passes;
  readonly keys: LoginKeys;
  readonly appRelay: Pick<AppRelay, "begin">;
  readonly routes: Pick<Routes, "lookup">;
  /** Load balancers of ours. */
  readonly trusts: Networks;
  readonly scheme: "http" | "https";
  /** Domain of the gateway with its port, as in the config. */
  readonly domain: string;
  readonly now: () => Date;
  readonly onError: (error: unknown, about: Pick<Route, "key">) => void;
}

export interface Porter {
  /** Resolves with false when the request was answered. Where a door cannot tell, nobody passes. */
  meet(route: Route, request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** The same of a WebSocket, which is not answered. */
  admits(route: Route, request: IncomingMessage): Promise<boolean>;
}

const SESSION_MS = 12 * 3_600_000;

export interface Exchange {
  readonly route: Route;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export function createPorter(deps: PorterDeps): Porter {
  const { passes } = deps;
  const doorCookie = cookieName("door", deps.scheme, deps.domain);
  const login = createLogin(deps);
  const seededLogin = createSeededLogin(deps);

  async function broughtBy(request: IncomingMessage, { host, preview }: Route): Promise<Brought> {
    const { headers } = request;
    const cookie = cookieOf(headers.cookie, doorCookie);
    const header = headers[BYPASS_HEADER];
    const token = typeof header === "string" ? header : cookieOf(headers.cookie, BYPASS_COOKIE);
    const pass = cookie === undefined ? undefined : await passes.read("door", host, cookie);
    const share = token === undefined ? undefined : await passes.read("share", host, token);
    const address = clientAddress(request, deps.trusts);
    return { address, host, repository: preview.repository, pass, share, token };
  }

  async function look({ route, request, response }: Exchange): Promise<boolean> {
    const path = ownPathOf(request.url);
    const exchange = { route, request, response };
    if (path === "share") return redeem(exchange);
    if (path === "door") return answer(exchange);
    if (path === "back") return welcomeBack(exchange);
    if (path === "logout") return leave(exchange);
    if (path === "login" && asksDoor(request)) return sendAway(exchange);
    const isIn = await passGuard(exchange);
    if (isIn && path === "login") return beUser(exchange);
    return isIn && path === "oauth" ? logInElsewhere(exchange) : isIn;
  }

  async function passGuard(exchange: Exchange): Promise<boolean> {
    const { route, request } = exchange;
    const { guard } = route;
    if (guard === undefined) return true;
    if (isOfAnother(deps, route, request)) return refuse(exchange, { doors: [], to: "/", notice: "foreign" });
    const doors = await refusalOf(guard, await broughtBy(request, route));
    // Nothing but a page is asked for again.
    return (
      doors === undefined || refuse(exchange, { doors, to: request.method === "GET" ? (request.url ?? "/") : "/" })
    );
  }

  /** Takes back what opens this host's door in this browser. Another site's page can only ask for it. */
  function leave(exchange: Exchange): false {
    const { request, response, route } = exchange;
    const isSure = request.method === "POST" ? !isForeign(request) : isClickedHere(request);
    if (!isSure) {
      sendLogoutPage({ request, response, key: route.key });
      return false;
    }
    for (const name of [doorCookie, login.name, BYPASS_COOKIE]) setCookie(response, { name, value: "", seconds: 0 });
    return redirect(exchange, "/");
  }

  /** As one of the application's seeds, once somebody is let in. */
  async function beUser(exchange: Exchange): Promise<boolean> {
    const outcome = await seededLogin(exchange);
    return outcome.kind === "away" ? send(exchange, outcome.url) : outcome.kind === "wait";
  }

  /** The application's own login, at a provider that sends everybody back to one address of ours. */
  async function logInElsewhere(exchange: Exchange): Promise<false> {
    const begun = await deps.appRelay.begin(exchange);
    if ("url" in begun) return send(exchange, begun.url);
    refuseRelay(exchange.response, begun.refusal);
    return false;
  }

  /** A share link: its token becomes a cookie, and the address in the browser's bar one without it. */
  async function redeem(exchange: Exchange): Promise<false> {
    const { guard, host } = exchange.route;
    const url = new URL(exchange.request.url ?? "/", "http://preview");
    const to = url.searchParams.get("to") ?? "/";
    if (guard === undefined) return redirect(exchange, to);
    const share = await passes.read("share", host, url.pathname.slice(SHARE_PATH.length));
    if (share !== undefined && guard.shareSeconds !== undefined) {
      return letIn(exchange, { to, opened: [SHARED], until: share.until });
    }
    const doors = (await refusalOf(guard, await broughtBy(exchange.request, exchange.route))) ?? [];
    return refuse(exchange, { doors, to, notice: "expired" });
  }

  /** What the door's page sends. */
  async function answer(exchange: Exchange): Promise<false> {
    const { route, request } = exchange;
    if (request.method !== "POST" || route.guard === undefined) return redirect(exchange, "/");
    // Else another site's page could try passwords from its visitors' addresses.
    if (isForeign(request)) return refuse(exchange, { doors: [], to: "/", notice: "foreign" });
    const form = await readForm(request);
    const [to, given] = [form?.get("to") ?? "/", form?.get("answer") ?? undefined];
    const brought = await broughtBy(request, route);
    const doors = (await refusalOf(route.guard, brought)) ?? [];
    const { asks, mark } = doors.find(({ name }) => name === form?.get("door")) ?? {};
    if (!asks || !mark || given === undefined) return redirect(exchange, to);
    const outcome = await asks(given, brought);
    if (outcome.kind === "wrong") return refuse(exchange, { doors, to, notice: "wrong" });
    if (outcome.kind === "later") return refuse(exchange, { doors, to, notice: "later", ...outcome });
    return letThrough(exchange, brought, { to, mark: await mark() });
  }

  /** To a login elsewhere. */
  async function sendAway(exchange: Exchange): Promise<false> {
    const { route, request, response } = exchange;
    const { searchParams } = new URL(request.url ?? "/", "http://preview");
    const to = searchParams.get("to") ?? "/";
    const brought = await broughtBy(request, route);
    const doors = (route.guard && (await refusalOf(route.guard, brought))) ?? [];
    const door = doors.find(({ name }) => name === searchParams.get("door"));
    const away = door && (await login.begin(door, brought, { to, authority: request.headers.host ?? route.host }));
    if (!away) return redirect(exchange, to);
    setCookie(response, { name: login.name, value: away.cookie, seconds: login.seconds });
    return send(exchange, away.url);
  }

  async function welcomeBack(exchange: Exchange): Promise<false> {
    const { route, request, response } = exchange;
    const brought = await broughtBy(request, route);
    const doors = route.guard && (await refusalOf(route.guard, brought));
    if (doors === undefined) return redirect(exchange, "/");
    const returned = await login.finish(request, brought, doors);
    setCookie(response, { name: login.name, value: "", seconds: 0 });
    if (returned.kind === "welcome") return letThrough(exchange, brought, returned);
    return refuse(exchange, { doors, to: returned.to, notice: returned.kind });
  }

  async function letThrough(
    exchange: Exchange,
    { pass }: Brought,
    through: { to: string; mark: string },
  ): Promise<false> {
    const kept = (pass?.opened ?? []).filter((mark) => mark !== SHARED && mark !== through.mark);
    const until = new Date(deps.now().getTime() + SESSION_MS);
    return letIn(exchange, { to: through.to, opened: [...kept, through.mark], until });
  }

  async function letIn(exchange: Exchange, { to, opened, until }: Way): Promise<false> {
    const value = await passes.issue("door", exchange.route.host, { opened, until });
    const seconds = Math.max(0, Math.floor((until.getTime() - deps.now().getTime()) / 1000));
    setCookie(exchange.response, { name: doorCookie, value, seconds });
    return redirect(exchange, to);
  }

  function setCookie(response: ServerResponse, { name, value, seconds }: Cookie): void {
    const attributes = ["Path=/", `Max-Age=${seconds}`, "HttpOnly", "SameSite=Lax"];
    if (deps.scheme === "https") attributes.push("Secure");
    response.appendHeader("Set-Cookie", [`${name}=${value}`, ...attributes].join("; "));
  }

  function redirect(exchange: Exchange, to: string): false {
    return send(exchange, addressWithin(`${deps.scheme}://${exchange.request.headers.host}`, to));
  }

  function send({ request, response }: Exchange, location: string): false {
    response.statusCode = 303;
    response.setHeader("Location", location);
    response.setHeader("Cache-Control", "no-store");
    // The address that was asked for may hold a share link's token.
    response.setHeader("Referrer-Policy", "no-referrer");
    response.setHeader("X-Robots-Tag", "noindex, nofollow");
    if (!request.complete) response.setHeader("Connection", "close");
    response.end();
    return false;
  }

  return {
    async meet(route, request, response) {
      try {
        return await look({ route, request, response });
      } catch (error) {
        deps.onError(error, route);
        return refuse({ route, request, response }, { doors: [], to: "/", notice: "broken" });
      }
    },
    async admits(route, request) {
      if (route.guard === undefined) return true;
      if (isOfAnother(deps, route, request)) return false;
      try {
        return (await refusalOf(route.guard, await broughtBy(request, route))) === undefined;
      } catch (error) {
        deps.onError(error, route);
        return false;
      }
    },
  };
}

/** A login at the preview's door, and not in the application behind it. */
function asksDoor({ url }: IncomingMessage): boolean {
  return new URL(url ?? "/", "http://preview").searchParams.has("door");
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly seconds: number;
}

interface Way {
  readonly to: string;
  readonly opened: readonly string[];
  readonly until: Date;
}

interface Refusal {
  readonly doors: Parameters<typeof sendDoorPage>[0]["doors"];
  readonly to: string;
  readonly notice?: DoorNotice;
  readonly retryAfterSeconds?: number;
}

function refuse({ route, request, response }: Exchange, told: Refusal): false {
  sendDoorPage({ request, response, key: route.key, isUndecided: route.guard?.isUndecided ?? false, ...told });
  return false;
}

/** Asked for by a page of another preview, in whose visitor's name it would be let through. */
function isOfAnother({ routes }: PorterDeps, { key }: Route, { headers: { origin } }: IncomingMessage): boolean {
  if (origin === undefined || !URL.canParse(origin)) return false;
  const other = routes.lookup(hostNameOf(new URL(origin).host));
  return other !== undefined && other.key !== key;
}
