/**
 * The one address that a login elsewhere knows of us: previews come and go, and no provider takes a wildcard. It
 * sends on to the host that signed for the state, and to no other.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { BACK_PATH } from "./own-paths.ts";
import type { Passes } from "./passes.ts";

/** On Stackling's own host. */
export const CALLBACK_PATH = "/auth/callback";
/** Who a state is for. */
export const RELAY = "relay";

export type Relay = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface RelayDeps {
  readonly passes: Pick<Passes, "read">;
  readonly scheme: "http" | "https";
}

export function createRelay({ passes, scheme }: RelayDeps): Relay {
  return async (request, response) => {
    const { search, searchParams } = new URL(request.url ?? "/", "http://stackling");
    const state = await passes.read("state", RELAY, searchParams.get("state") ?? "");
    const host = state?.kept?.host;
    response.setHeader("Cache-Control", "no-store");
    // The address holds a code.
    response.setHeader("Referrer-Policy", "no-referrer");
    if (host === undefined) {
      response.statusCode = 400;
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      response.end("This login is too old, or none of ours. Open the preview again.\n");
      return;
    }
    response.statusCode = 303;
    response.setHeader("Location", `${scheme}://${host}${BACK_PATH}${search}`);
    response.end();
  };
}
