/** What is asked of forges, as spans. */
import type { WatchFetch } from "../forges/forge.ts";
import type { Tracing } from "./tracing.ts";

/** Around what else watches it. Of the address there is the host alone: what stands behind it may be anything. */
export function watchWithSpans(forge: string, watch: WatchFetch, tracing: Tracing): WatchFetch {
  if (!tracing.isOn) return watch;
  return (ask) => {
    const watched = watch(ask);
    return (url, init) => {
      // A look at a forge's list once a minute is nobody's trace.
      if (tracing.origin().traceparent === undefined) return watched(url, init);
      const request = url instanceof Request ? url : undefined;
      const { hostname } = new URL(request ? request.url : String(url));
      const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
      const attributes = { "http.request.method": method, "server.address": hostname, "stackling.forge": forge };
      return tracing.span({ name: method, kind: "client", attributes }, async (span) => {
        const response = await watched(url, init);
        span?.set({ "http.response.status_code": response.status });
        return response;
      });
    };
  };
}
