/**
 * `/metrics`: for a token that may look at the whole instance, for the one that the config names for it, and for who is
 * logged in to the pages. Previews reach this port too, and get nothing.
 */
import type { Request, RequestHandler } from "express";
import { callerOf, type Visitors, visitorOf } from "../api/access.ts";
import type { SecretReference } from "../config/types.ts";
import { EVERYTHING, may } from "../roles.ts";
import { resolveSecret } from "../secret-reference.ts";
import { sameSecret } from "../session.ts";

export interface MetricsPageDeps {
  /** All of them, as Prometheus reads them. */
  readonly text: () => Promise<string>;
  /** Opens this page and nothing else. */
  readonly token?: SecretReference;
  readonly visitors: Visitors;
  readonly onError: (error: unknown) => void;
}

export const METRICS_PATH = "/metrics";
/** Of the text format that Prometheus has always read. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** Characters from which on nobody guesses a token, however often they may try. */
const NOT_GUESSED = 32;

/** Identifies by itself, for a token of its own is no wrong one of the API. */
export function createMetricsPage({ text, token, visitors, onError }: MetricsPageDeps): RequestHandler[] {
  /** That which was right the last time: it waits for nobody who has the same address. */
  let right: string | undefined;

  /** Wrong ones are counted with those of the API, and previews of the same machine may have the scraper's address. */
  async function isOwn(given: string, request: Request): Promise<boolean> {
    const isLookedAt = given.length >= NOT_GUESSED || (right !== undefined && sameSecret(given, right));
    if (!isLookedAt && (await visitors.waitOf(request)) !== undefined) return false;
    const own = await ownToken();
    if (own === undefined || !sameSecret(given, own)) return false;
    right = own;
    return true;
  }

  /** A secret that cannot be read opens nothing; read anew each time, for it may be renewed. */
  const ownToken = async (): Promise<string | undefined> => {
    try {
      return token && (await resolveSecret(token));
    } catch (error) {
      onError(error);
      return undefined;
    }
  };

  const send: RequestHandler = async (_request, response) => {
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Content-Type", CONTENT_TYPE);
    response.end(await text());
  };

  return [
    async (request, response, next) => {
      const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "")?.[1];
      if (given !== undefined && (await isOwn(given, request))) await send(request, response, next);
      else await visitors.identify(request, response, next);
    },
    async (request, response, next) => {
      const caller = callerOf({ visitors }, request);
      if (may(caller, "look", EVERYTHING)) return send(request, response, next);
      const visitor = visitorOf({ visitors }, request);
      const wait = visitor.kind === "anyone" ? visitor.retryAfterSeconds : undefined;
      if (wait !== undefined) response.setHeader("Retry-After", wait);
      response.setHeader("Cache-Control", "no-store");
      if (!caller) response.setHeader("WWW-Authenticate", 'Bearer realm="stackling"');
      response
        .status(wait !== undefined ? 429 : caller ? 403 : 401)
        .type("text")
        .send(
          caller
            ? "Metrics are of the whole instance: this token is for some repositories only.\n"
            : "Metrics need a token, as `Authorization: Bearer …`: docs/observability.md says which.\n",
        );
    },
  ];
}
