/**
 * The one way to every preview: by Host header to its service, or to a page that says why not.
 * A request to a preview that serves costs a map lookup and no question to the store.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { StacklingError } from "../../components/errors.ts";
import { whenLeft } from "../leaving.ts";
import type { Pause } from "../store/operation.ts";
import type { HistoryEntry } from "../store/store.ts";
import type { Networks } from "./access/address.ts";
import { ownPathOf } from "./access/own-paths.ts";
import type { Porter } from "./access/porter.ts";
import { type AddressOf, askAddress, knownAddress } from "./addresses.ts";
import type { Banner } from "./banner/banner.ts";
import { answerRaw, createForwarder, type ForwardOptions } from "./forward.ts";
import { formFor, type PageKind } from "./page-forms.ts";
import { type PageSubject, sendPage } from "./pages.ts";
import type { Route, Routes } from "./routes.ts";
import { countsAsVisit, type Visits } from "./visits.ts";
import { createWaitingRoom } from "./waiting.ts";
import { atMostEvery } from "./wakes.ts";

export interface GatewayDeps {
  readonly routes: Routes;
  /** Private `host:port` of a service now; undefined while there is none. */
  readonly addressOf: AddressOf;
  /** Asks for a sleeping preview to be woken; resolves when the wish is stored. */
  readonly wake: (key: string) => Promise<void>;
  readonly visits: Visits;
  /** What happened to a preview so far, for the page that is shown while it is built. */
  readonly history: (key: string, limit: number) => Promise<readonly HistoryEntry[]>;
  readonly scheme: "http" | "https";
  /** Address of Stackling's own pages, for links. */
  readonly homeUrl: string;
  /** Set while everything is stopped; said on the pages. */
  readonly pause?: () => Promise<Pause | undefined>;
  /** Offered where a preview is gone, refused or stopped. */
  readonly fallbackUrl?: string;
  /** Stands at the doors of previews that not everybody may see. Absent: there are none. */
  readonly porter?: Porter;
  /** Put into pages. Absent: none. */
  readonly banner?: Banner;
  /** Load balancers of ours, who are believed. Absent: nobody. */
  readonly trusts?: Networks;
  /** How long a program's request waits for a preview to wake. */
  readonly holdTimeoutMs?: number;
  /** Requests held at once, over all previews. */
  readonly holdMax?: number;
  /** `of` a request that got no answer of its preview, or of the wish to wake one, which is said again while somebody waits. */
  readonly onError: (error: unknown, route: Route, of: "request" | "wake") => void;
}

export interface Gateway {
  handle(route: Route, request: IncomingMessage, response: ServerResponse): void;
  upgrade(route: Route, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Answers for a host under the domain that belongs to no preview. */
  unknown(request: IncomingMessage, response: ServerResponse): void;
  close(): void;
}

/** A sleeping preview is asked to wake this often, however many knock, while somebody waits. */
const WAKE_INTERVAL_MS = 3_000;
const STEPS_SHOWN = 12;
const PAUSE_FRESH_MS = 1_000;

export function createGateway(deps: GatewayDeps): Gateway {
  const { routes, visits } = deps;
  const room = createWaitingRoom({ max: deps.holdMax ?? 512 });
  const wake = atMostEvery(WAKE_INTERVAL_MS, (route) => {
    deps.wake(route.key).catch((error: unknown) => deps.onError(error, route, "wake"));
  });
  const forwarder = createForwarder({
    scheme: deps.scheme,
    trusts: deps.trusts ?? (() => false),
    onStream: (request) => {
      const route = routes.lookup(request.headers.host);
      return route && countsAsVisit(request, route.healthPaths) ? visits.open(route.key) : () => {};
    },
  });
  const unsubscribe = routes.onChange((key) => room.release(key));
  const pause = remembered(PAUSE_FRESH_MS, async () => deps.pause?.());

  const page = (kind: PageKind, request: IncomingMessage, response: ServerResponse, subject: PageSubject = {}) =>
    sendPage({ kind, request, response, homeUrl: deps.homeUrl, fallbackUrl: deps.fallbackUrl, subject });

  function handle(route: Route, request: IncomingMessage, response: ServerResponse): void {
    const { porter } = deps;
    if (!porter || (route.guard === undefined && ownPathOf(request.url) === undefined)) {
      enter(route, request, response);
      return;
    }
    porter.meet(route, request, response).then((isLetIn) => {
      if (!isLetIn || response.destroyed) return;
      const now = current(route) ?? route;
      if (now.guard === route.guard) enter(now, request, response);
      else handle(now, request, response);
    });
  }

  function enter(route: Route, request: IncomingMessage, response: ServerResponse): void {
    if (deps.banner?.answers(route, request, response)) return;
    if (route.door !== "serve") {
      meet(route, request, response).catch((error: unknown) => {
        deps.onError(error, route, "request");
        page("unreachable", request, response, { preview: route.preview });
      });
      return;
    }
    if (!visits.noted(route.key) && countsAsVisit(request, route.healthPaths)) visits.record(route.key);
    serve(route, request, response, 0);
  }

  function serve(route: Route, request: IncomingMessage, response: ServerResponse, attempt: number): void {
    // A body can be sent only once, so its request never starts from a remembered address.
    const known = attempt === 0 && !hasBody(request) ? knownAddress(route.address) : undefined;
    if (known) {
      forward(route, request, response, { options: known, attempt });
      return;
    }
    askAddress(deps.addressOf, route).then(
      (options) => {
        if (response.destroyed) return;
        if (options) forward(route, request, response, { options, attempt });
        else page("starting", request, response, { preview: route.preview });
      },
      (error: unknown) => {
        deps.onError(error, route, "request");
        page("unreachable", request, response, { preview: route.preview });
      },
    );
  }

  function forward(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    { options, attempt }: { readonly options: ForwardOptions; readonly attempt: number },
  ): void {
    forwarder.web(request, response, options, deps.banner?.pageFor(route, request)).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      route.address.until = 0;
      if (attempt === 0 && mayRepeat(request, error)) return serve(route, request, response, 1);
      deps.onError(named(error, options), route, "request");
      page("unreachable", request, response, { preview: route.preview });
    });
  }

  /** Everything but a preview that serves: wakes it, holds the request, or shows the page. */
  async function meet(stale: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await routes.freshen(stale.key);
    const route = current(stale) ?? stale;
    // Past its door anew: what stands before it may be another one now.
    if (route.door === "serve") return handle(route, request, response);
    const sleeping = route.door === "asleep" || route.door === "waking";
    const counts = sleeping && countsAsVisit(request, route.healthPaths);
    if (counts) {
      visits.record(route.key);
      wake(route);
      if (!wantsHtml(request)) {
        const now = await held(route, response);
        if (response.destroyed) return;
        if (now?.door === "serve") return handle(now, request, response);
      }
    }
    const latest = current(route) ?? route;
    const { preview } = latest;
    const kind = counts && route.door === "asleep" ? "waking" : latest.door === "serve" ? "starting" : latest.door;
    // Only the page for people shows them; a program that polls must not cost the store a question each time.
    const people = wantsHtml(request);
    const steps = kind === "building" && people ? await deps.history(route.key, STEPS_SHOWN).catch(() => []) : [];
    page(kind, request, response, { preview, steps, ...(people ? { pause: await pause() } : {}) });
  }

  async function unknown(request: IncomingMessage, response: ServerResponse): Promise<void> {
    page("unknown", request, response, wantsHtml(request) ? { pause: await pause() } : {});
  }

  /** Waits until the door is another one, and at most as long as the room allows. */
  async function held(route: Route, connection: ServerResponse | Duplex): Promise<Route | undefined> {
    const left = whenLeft(connection);
    const deadline = performance.now() + (deps.holdTimeoutMs ?? 90_000);
    // A wish that was lost with the store must not cost the whole wait; a timer that is early by a hair, not twice the interval.
    const again = setInterval(() => {
      const now = current(route);
      if (now?.door === "asleep") wake(now);
    }, WAKE_INTERVAL_MS / 3);
    try {
      for (let now: Route | undefined = route; ; now = current(route)) {
        const waits = now?.door === "asleep" || now?.door === "waking";
        if (!waits || (now !== route && now?.preview.status.condition === "Stalled")) return now;
        const withinMs = deadline - performance.now();
        if (withinMs <= 0) return now;
        const outcome = await room.wait(route.key, { signal: left, withinMs });
        if (outcome !== "open") return current(route);
      }
    } finally {
      clearInterval(again);
    }
  }

  function current(route: Route): Route | undefined {
    return routes.lookup(route.host);
  }

  async function upgrade(route: Route, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let now: Route | undefined = route;
    if (route.guard !== undefined && !(await deps.porter?.admits(route, request))) {
      return answerRaw(socket, 403, "Forbidden");
    }
    const sleeping = route.door === "asleep" || route.door === "waking";
    if (sleeping && countsAsVisit(request, route.healthPaths)) {
      wake(route);
      now = await held(route, socket);
      if (now?.guard !== undefined && !(await deps.porter?.admits(now, request))) {
        return answerRaw(socket, 403, "Forbidden");
      }
    }
    try {
      const options = now?.door === "serve" ? await askAddress(deps.addressOf, now) : undefined;
      if (!now || !options) {
        const { retryAfter } = formFor(now && now.door !== "serve" ? now.door : "starting", now?.preview);
        return answerRaw(socket, 503, "Service Unavailable", retryAfter);
      }
      // One that is closed already says so to nobody any more: its visit would never end.
      if (socket.destroyed) return;
      if (countsAsVisit(request, now.healthPaths)) socket.once("close", visits.open(now.key));
      await forwarder.upgrade(request, socket, head, options);
    } catch (error) {
      deps.onError(error, route, "request");
      answerRaw(socket, 502, "Bad Gateway");
    }
  }

  return {
    handle,
    upgrade,
    unknown: (request, response) => void unknown(request, response),
    close() {
      unsubscribe();
      forwarder.close();
    },
  };
}

/** True for whoever would show a page to a person. */
export function wantsHtml(request: Pick<IncomingMessage, "method" | "headers">): boolean {
  return (request.method === "GET" || request.method === "HEAD") && !!request.headers.accept?.includes("text/html");
}

/** For the log: a further cluster's ingress, and what it said, is named where one was dialed. */
function named(error: unknown, { target, headers }: ForwardOptions): unknown {
  if (target.protocol === "http:" && !headers) return error;
  const code = error instanceof Error && "code" in error ? error.code : error;
  const userMessage = `reaching the ingress "${target.host}:${target.port}": ${code}; "stackling doctor" tells more`;
  return new StacklingError({ reason: "TargetUnreachable", userMessage, cause: error });
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/**
 * A refused connection did nothing, so anything without a body may be sent again. A connection that
 * was cut may have done something: only what is safe to do twice (RFC 9110 §9.2.2) goes again; it is
 * how a pooled connection ends when a release is replaced.
 */
function mayRepeat(request: IncomingMessage, error: unknown): boolean {
  if (hasBody(request)) return false;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ECONNREFUSED") return true;
  const safe = request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS";
  return safe && (code === "ECONNRESET" || code === "EPIPE");
}

/** Asks at most this often, however many pages are shown; undefined while nobody answers. */
function remembered<Answer>(freshMs: number, ask: () => Promise<Answer>): () => Promise<Answer | undefined> {
  let known: { readonly at: number; readonly answer: Promise<Answer | undefined> } | undefined;
  return () => {
    const now = performance.now();
    if (!known || now - known.at >= freshMs) known = { at: now, answer: ask().catch(() => undefined) };
    return known.answer;
  };
}
