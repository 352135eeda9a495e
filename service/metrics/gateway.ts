/** Counts what goes through the gateway: two listeners' worth of work a request. */
import type { ServerResponse } from "node:http";
import type { Gateway } from "../gateway/gateway.ts";
import type { Numbers } from "./registry.ts";

export interface GatewayCount {
  /** Milliseconds from any beginning. */
  elapsed(): number;
  /** @param ms undefined: its length says nothing */
  answered(repository: string, code: string, ms: number | undefined): void;
  /** The gateway itself could not bring a request to its preview. */
  failed(repository: string): void;
}

export function gatewayCount(numbers: Pick<Numbers, "add" | "observe">): GatewayCount {
  return {
    elapsed: () => performance.now(),
    answered(repository, code, ms) {
      numbers.add("stackling_gateway_requests_total", { repository, code });
      if (ms !== undefined) numbers.observe("stackling_gateway_request_duration_seconds", { repository }, ms / 1000);
    },
    failed: (repository) => numbers.add("stackling_gateway_errors_total", { repository }),
  };
}

const CLASSES = ["", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** The same gateway, counted. */
export function metered(gateway: Gateway, count: Pick<GatewayCount, "elapsed" | "answered">): Gateway {
  return {
    ...gateway,
    handle(route, request, response) {
      const begun = count.elapsed();
      const { repository } = route.preview;
      response.once("close", () => {
        const code = response.writableFinished ? (CLASSES[Math.floor(response.statusCode / 100)] ?? "5xx") : "cut";
        count.answered(repository, code, isStream(response) ? undefined : count.elapsed() - begun);
      });
      gateway.handle(route, request, response);
    },
  };
}

/** Stays open for as long as the page does. */
function isStream(response: ServerResponse): boolean {
  const type = response.getHeader("content-type");
  return typeof type === "string" && type.startsWith("text/event-stream");
}
