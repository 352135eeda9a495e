/**
 * Stands at the door of every preview that not everybody may see: lets through, asks, or refuses, before
 * anything else is done or told of the preview.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { cookieOf, isForeign } from "../../api/access.ts";
import { hostNameOf, type Route, type Routes } from "../routes.ts";
import { clientAddress, type Networks } from "./address.ts";
import { type DoorNotice, sendDoorPage } from "./door-page.ts";
import { readForm } from "./form.ts";
import { type Brought, refusalOf, SHARED } from "./guard.ts";
import { BYPASS_COOKIE, BYPASS_HEADER, doorCookieName, ownPathOf, SHARE_PATH } from "./own-paths.ts";
import type { Passes } from "./passes.ts";
import { addressWithin } from "./redirect.ts";

export interface PorterDeps {
  readonly passes: Passes;
  readonly routes: Pick<Routes, "lookup">;
  /** Load balancers of ours. */
  readonly trusts: Networks;
  readonly scheme: "http" | "https";
  /** Domain of the gateway with its port, as in the config. */
  readonly domain: string;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

export interface Porter {
  /** Resolves with false when the request was answered. Where a door cannot tell, nobody passes. */
  meet(route: Route, request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** The same of a WebSocket, which is not answered. */
  admits(route: Route, request: IncomingMessage): Promise<boolean>;
}

const SESSION_MS = 12 * 3_600_000;

interface Exchange {
  readonly route: Route;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export function createPorter(deps: PorterDeps): Porter {
  const { passes } = deps;
  const cookieName = doorCookieName(deps.scheme, deps.domain);

  async function broughtBy(request: IncomingMessage, host: string): Promise<Brought> {
    const { headers } = request;
    const cookie = cookieOf(headers.cookie, cookieName);
    const header = headers[BYPASS_HEADER];
    const token = typeof header === "string" ? header : cookieOf(headers.cookie, BYPASS_COOKIE);
    const pass = cookie === undefined ? undefined : await passes.read("door", host, cookie);
    const share = token === undefined ? undefined : await passes.read("share", host, token);
    return { address: clientAddress(request, deps.trusts), host, pass, share, token };
  }

  async function look({ route, request, response }: Exchange): Promise<boolean> {
    const path = ownPathOf(request.url);
    const exchange = { route, request, response };
    if (path === "share") return redeem(exchange);
    if (path === "door") return answer(exchange);
    const { guard } = route;
    if (guard === undefined) return true;
    if (isOfAnother(deps, route, request)) return refuse(exchange, { doors: [], to: "/", notice: "foreign" });
    const doors = await refusalOf(guard, await broughtBy(request, route.host));
    // Nothing but a page is asked for again.
    return (
      doors === undefined || refuse(exchange, { doors, to: request.method === "GET" ? (request.url ?? "/") : "/" })
    );
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
    const doors = (await refusalOf(guard, await broughtBy(exchange.request, host))) ?? [];
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
    const brought = await broughtBy(request, route.host);
    const doors = (await refusalOf(route.guard, brought)) ?? [];
    const asks = doors.find(({ name }) => name === form?.get("door"))?.asks;
    if (!asks || given === undefined) return redirect(exchange, to);
    const outcome = await asks.answer(given, brought);
    if (outcome.kind === "wrong") return refuse(exchange, { doors, to, notice: "wrong" });
    if (outcome.kind === "later") return refuse(exchange, { doors, to, notice: "later", ...outcome });
    const kept = (brought.pass?.opened ?? []).filter((mark) => mark !== SHARED);
    const until = new Date(deps.now().getTime() + SESSION_MS);
    return letIn(exchange, { to, opened: [...kept, await asks.mark()], until });
  }

  async function letIn(exchange: Exchange, { to, opened, until }: Way): Promise<false> {
    const token = await passes.issue("door", exchange.route.host, { opened, until });
    const seconds = Math.max(0, Math.floor((until.getTime() - deps.now().getTime()) / 1000));
    const attributes = ["Path=/", `Max-Age=${seconds}`, "HttpOnly", "SameSite=Lax"];
    if (deps.scheme === "https") attributes.push("Secure");
    exchange.response.setHeader("Set-Cookie", [`${cookieName}=${token}`, ...attributes].join("; "));
    return redirect(exchange, to);
  }

  function redirect({ request, response }: Exchange, to: string): false {
    response.statusCode = 303;
    response.setHeader("Location", addressWithin(`${deps.scheme}://${request.headers.host}`, to));
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
        deps.onError(error);
        return refuse({ route, request, response }, { doors: [], to: "/", notice: "broken" });
      }
    },
    async admits(route, request) {
      if (route.guard === undefined) return true;
      if (isOfAnother(deps, route, request)) return false;
      try {
        return (await refusalOf(route.guard, await broughtBy(request, route.host))) === undefined;
      } catch (error) {
        deps.onError(error);
        return false;
      }
    },
  };
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
