/** When each preview was last visited, gathered in memory and written in batches: never a write per request. */
import type { IncomingMessage } from "node:http";
import type { Store } from "../store/store.ts";

export interface Visits {
  /** Notes a visit now. */
  record(key: string): void;
  /** True when a visit is noted already and nothing more is to be learned. */
  noted(key: string): boolean;
  /** An open WebSocket or stream is one long visit; the result ends it and may be called again. */
  open(key: string): () => void;
  /** Writes what is gathered; what could not be written is kept for the next time. */
  flush(): Promise<void>;
  /** Writes the last and stops. */
  close(): Promise<void>;
}

export interface VisitsDeps {
  readonly store: Pick<Store, "visited">;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
  readonly flushIntervalMs?: number;
}

export function createVisits({ store, now, onError, flushIntervalMs = 5_000 }: VisitsDeps): Visits {
  let pending = new Map<string, string>();
  const open = new Map<string, number>();

  const flush = async () => {
    const at = now().toISOString();
    for (const key of open.keys()) pending.set(key, at);
    if (pending.size === 0) return;
    const batch = pending;
    pending = new Map();
    try {
      await store.visited(Object.fromEntries(batch));
    } catch (error) {
      for (const [key, time] of batch) if (!pending.has(key)) pending.set(key, time);
      onError(error);
    }
  };
  const timer = setInterval(() => void flush(), flushIntervalMs);
  timer.unref();

  return {
    record: (key) => void pending.set(key, now().toISOString()),
    noted: (key) => pending.has(key),
    open(key) {
      pending.set(key, now().toISOString());
      open.set(key, (open.get(key) ?? 0) + 1);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        const left = (open.get(key) ?? 1) - 1;
        if (left > 0) open.set(key, left);
        else open.delete(key);
        pending.set(key, now().toISOString());
      };
    },
    flush,
    close() {
      clearInterval(timer);
      return flush();
    },
  };
}

/**
 * Crawlers, uptime checks and the unfurlers that fetch a link when it is posted, by the names they
 * send (their own documentation); and our own probes.
 */
const MACHINES =
  /(?<!cu)bot\b|crawl|spider|slurp|slack-imgproxy|whatsapp|facebookexternalhit|skypeuripreview|embedly|iframely|bingpreview|github-camo|pingdom|uptime|statuscake|datadog|newrelicpinger|site24x7|checkly|kube-probe|googlehc|elb-healthchecker|prometheus|stackling|headlesschecker/i;

/** True when a person (or a person's program) asks: not HEAD, no health path, no machine known by name. */
export function countsAsVisit(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  healthPaths: ReadonlySet<string>,
): boolean {
  if (request.method === "HEAD" || request.method === "OPTIONS") return false;
  if (healthPaths.size > 0 && healthPaths.has(pathOf(request.url ?? "/"))) return false;
  const purpose = request.headers["sec-purpose"] ?? request.headers.purpose;
  if (purpose !== undefined && String(purpose).includes("prefetch")) return false;
  return !MACHINES.test(request.headers["user-agent"] ?? "");
}

function pathOf(url: string): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
