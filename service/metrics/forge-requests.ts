/** Counts what is asked of a forge, and reads from its answers how much more may be. */
import type { WatchFetch } from "../forges/forge.ts";
import type { Numbers } from "./registry.ts";

interface Limit {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds since the epoch; undefined where the forge does not say. */
  readonly resetsAt: number | undefined;
}

/** For each credential of one forge: each has a limit of its own, and the one with the least left is told. */
export function createForgeWatch({
  numbers,
  forge,
  elapsed,
  now,
}: {
  readonly numbers: Pick<Numbers, "add" | "observe" | "set">;
  readonly forge: string;
  readonly elapsed: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): { readonly watch: WatchFetch; readonly tell: () => void } {
  const limits = new Map<symbol, Limit>();

  function noteLimit(credential: symbol, headers: Headers): void {
    const limit = limitOf(headers);
    if (!limit) return;
    for (const [other, one] of limits) if (isOver(one)) limits.delete(other);
    limits.set(credential, limit);
  }

  /** Behind its end a window is a new one, of which nothing is used. */
  const isOver = ({ resetsAt }: Limit) => resetsAt !== undefined && resetsAt <= now();

  function tell(): void {
    const all = [...limits.values()].map((one) => (isOver(one) ? { ...one, remaining: one.limit } : one));
    const [scarcest] = all.sort((one, other) => one.remaining - other.remaining);
    if (!scarcest) return;
    numbers.set({ name: "stackling_forge_rate_limit", labels: { forge }, value: scarcest.limit });
    numbers.set({ name: "stackling_forge_rate_limit_remaining", labels: { forge }, value: scarcest.remaining });
  }

  const watch: WatchFetch = (ask) => {
    // So that Prometheus sees the first of what must not happen, too.
    for (const [outcome, reason] of [
      ["failed", ""],
      ["refused", "StoreUnavailable"],
    ] as const) {
      numbers.add("stackling_deliveries_total", { forge, event: "", outcome, reason }, 0);
    }
    const credential = Symbol(forge);
    return async (url, init) => {
      const begun = elapsed();
      let outcome = "unreachable";
      try {
        const response = await ask(url, init);
        outcome = outcomeOf(response);
        noteLimit(credential, response.headers);
        return response;
      } finally {
        numbers.add("stackling_forge_requests_total", { forge, outcome });
        numbers.observe("stackling_forge_request_duration_seconds", { forge }, (elapsed() - begun) / 1000);
      }
    };
  };
  return { watch, tell };
}

function outcomeOf({ status, headers }: Response): string {
  const limited = status === 429 || (status === 403 && (headers.has("retry-after") || remainingOf(headers) === 0));
  return limited ? "limited" : `${Math.floor(status / 100)}xx`;
}

/** GitHub and Gitea write `x-ratelimit-…`, GitLab `ratelimit-…` (both in their docs, "rate limits"); undefined where neither is said. */
function limitOf(headers: Headers): Limit | undefined {
  // Search and others have limits of their own.
  if ((headers.get("x-ratelimit-resource") ?? "core") !== "core") return undefined;
  const remaining = remainingOf(headers);
  const limit = numberOf(headers, "limit");
  if (remaining === undefined || limit === undefined) return undefined;
  const reset = numberOf(headers, "reset");
  return { limit, remaining, resetsAt: reset === undefined ? undefined : reset * 1000 };
}

function remainingOf(headers: Headers): number | undefined {
  return numberOf(headers, "remaining");
}

function numberOf(headers: Headers, name: string): number | undefined {
  const text = headers.get(`x-ratelimit-${name}`) ?? headers.get(`ratelimit-${name}`);
  const number = Number(text ?? Number.NaN);
  return text === null || text === "" || !Number.isFinite(number) || number < 0 ? undefined : number;
}
