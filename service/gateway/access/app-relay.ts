/**
 * The application's own social login on previews. Providers take one callback address and no wildcard, so all previews
 * share ours: a login begins by way of its preview's host, where its state is put into an envelope that is signed and
 * names that host, and what comes back is sent on to the host in the envelope, and to no other.
 *
 * Codes pass by in the browser's address, as they do at any callback; tokens never do.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RepositoryConfig } from "../../config/repository-types.ts";
import { documentOf, html, scriptElement } from "../../html.ts";
import { sendAnswer } from "../page-answer.ts";
import type { Route, Routes } from "../routes.ts";
import { readForm } from "./form.ts";
import { APP_CALLBACK_PATH, OAUTH_PATH } from "./own-paths.ts";
import type { Passes } from "./passes.ts";
import type { Exchange } from "./porter.ts";
import { addressWithin, isAddressWithin } from "./redirect.ts";
import { RELAY, type Relay } from "./relay.ts";

export interface AppRelayDeps {
  readonly passes: Pick<Passes, "issue" | "read">;
  readonly routes: Pick<Routes, "lookup">;
  readonly repositories: readonly Pick<RepositoryConfig, "name" | "oauthRelay">[];
  readonly scheme: "http" | "https";
  /** Domain of the gateway with its port, as in the config. */
  readonly domain: string;
  readonly now: () => Date;
}

export interface AppRelay {
  /** On a preview's host: the address of the provider to go on to, or why not. */
  readonly begin: (exchange: Exchange) => Promise<{ readonly url: string } | { readonly refusal: string }>;
  /** On our own host: what a provider sends back. */
  readonly finish: Relay;
}

const LIFE_MS = 10 * 60_000;
const STATE_MAX = 1_500;
/** Holds its own state, which we could not put into anything. */
const SEALED = ["request", "request_uri"];

export function createAppRelay(deps: AppRelayDeps): AppRelay {
  const { passes, scheme, domain } = deps;
  const callback = `${scheme}://${domain}${APP_CALLBACK_PATH}`;
  const providers = new Map(deps.repositories.map(({ name, oauthRelay }) => [name, oauthRelay ?? {}]));
  const providerOf = ({ preview }: Route, name: string) => {
    const known = providers.get(preview.repository) ?? {};
    return Object.hasOwn(known, name) ? known[name] : undefined;
  };

  return {
    async begin({ route, request }) {
      const authority = request.headers.host ?? route.host;
      const origin = `${scheme}://${authority}`;
      const { pathname, searchParams: asked } = new URL(request.url ?? "/", origin);
      const name = pathname.slice(OAUTH_PATH.length);
      const provider = providerOf(route, name);
      const problem = problemOf(route, { name, provider, asked, origin, callback });
      if (provider === undefined || problem !== undefined) return { refusal: problem ?? "" };
      const state = asked.get("state");
      const kept = { host: authority, path: asked.get("return") ?? "/", ...(state === null ? {} : { state }) };
      const until = new Date(deps.now().getTime() + LIFE_MS);
      const envelope = await passes.issue("oauth", RELAY, { opened: [name], until, kept });
      const url = new URL(provider);
      for (const [key, value] of asked) if (key !== "return") url.searchParams.append(key, value);
      url.searchParams.set("state", envelope);
      if (!asked.has("redirect_uri")) url.searchParams.set("redirect_uri", callback);
      return { url: url.href };
    },

    async finish(request, response) {
      const isPost = request.method === "POST";
      const sent = isPost
        ? ((await readForm(request)) ?? new URLSearchParams())
        : new URL(request.url ?? "/", "http://stackling").searchParams;
      const envelope = await passes.read("oauth", RELAY, sent.get("state") ?? "");
      const { host, path = "/", state } = envelope?.kept ?? {};
      const route = host === undefined ? undefined : deps.routes.lookup(host);
      const isOurs = route && isLogin(route) && providerOf(route, envelope?.opened[0] ?? "") !== undefined;
      if (host === undefined || !isOurs) return refuseRelay(response, TOO_OLD);
      if (state === undefined) sent.delete("state");
      else sent.set("state", state);
      const home = new URL(addressWithin(`${scheme}://${host}`, path));
      if (isPost) return postOn(request, response, home, sent);
      for (const [key, value] of sent) home.searchParams.append(key, value);
      response.statusCode = 303;
      response.setHeader("Location", home.href);
      response.setHeader("Cache-Control", "no-store");
      // The address holds a code.
      response.setHeader("Referrer-Policy", "no-referrer");
      response.end();
    },
  };
}

const TOO_OLD =
  "This login is too old, none of ours, or of a preview that is not there any more. Open the preview and log in again.";

interface Asked {
  readonly name: string;
  readonly provider: string | undefined;
  readonly asked: URLSearchParams;
  readonly origin: string;
  readonly callback: string;
}

/** As a sentence for whoever writes the application. */
function problemOf(route: Route, { name, provider, asked, origin, callback }: Asked): string | undefined {
  if (provider === undefined) return `"${name}" is none of the repository's "oauthRelay" in stackling.yaml.`;
  if (!isLogin(route)) return "Logins of this preview are not relayed: its pull request is not trusted.";
  const back = asked.get("return") ?? "";
  if (!isAddressWithin(origin, back))
    return `"return" is "${back}"; it must be a path of the application, such as /callback.`;
  const given = asked.get("redirect_uri");
  if (given !== null && !isCallback(given, callback)) {
    return `"redirect_uri" is "${given}"; it must be what STACKLING_OAUTH_CALLBACK holds: "${callback}".`;
  }
  const sealed = SEALED.find((key) => asked.has(key));
  if (sealed !== undefined) return `"${sealed}" cannot be relayed: send each parameter by itself.`;
  if ((asked.get("state")?.length ?? 0) > STATE_MAX) return `"state" is longer than ${STATE_MAX} characters.`;
  return undefined;
}

/** Whose code runs there may have the codes of its users: not a stranger's, approved or not. */
function isLogin({ preview }: Route): boolean {
  const { live } = preview.status;
  return live !== undefined && !live.untrusted;
}

function isCallback(given: string, callback: string): boolean {
  return given === callback || (given.startsWith(`${callback}/`) && /^[\w-]+$/.test(given.slice(callback.length + 1)));
}

const SUBMIT = "document.forms[0].submit();";
const SUBMIT_HASH = createHash("sha256").update(SUBMIT).digest("base64");

/** What was posted to us is posted on (`response_mode=form_post`), by the browser, which alone has the preview's cookies. */
function postOn(request: IncomingMessage, response: ServerResponse, home: URL, sent: URLSearchParams): void {
  const fields = [...sent].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  const body = html`<body><form method="post" action="${home.href}">${fields}<button>Go on</button></form>${scriptElement(SUBMIT)}</body>`;
  const { markup } = documentOf({ title: "Logging in", head: html``, body });
  const policy = `default-src 'none'; script-src 'sha256-${SUBMIT_HASH}'; form-action ${home.origin}; base-uri 'none'; frame-ancestors 'none'`;
  sendAnswer(request, response, { status: 200, type: "text/html", body: markup, policy });
}

export function refuseRelay(response: ServerResponse, why: string): void {
  response.statusCode = 400;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.end(`${why}\n`);
}
