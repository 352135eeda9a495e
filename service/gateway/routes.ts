/** Which preview answers at which host: a map in memory, kept up to date by the store's changes. */
import { setTimeout as delay } from "node:timers/promises";
import { hostName, parseKey } from "../../infra/names.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import type { Guard } from "./access/guard.ts";
import { type AddressCell, addressCell } from "./addresses.ts";
import { type Door, doorOf } from "./door.ts";

export interface Route {
  readonly key: string;
  readonly stack: string;
  /** Host without port. */
  readonly host: string;
  /** Service that answers here; undefined before the first version is live. */
  readonly service?: string;
  readonly door: Door;
  /** What stands before it; undefined: everybody may see it. */
  readonly guard?: Guard;
  readonly preview: Preview;
  /** Paths of its service that are asked by machines and count as no visit; never the front page, for people come there. */
  readonly healthPaths: ReadonlySet<string>;
  /** Changes with every change of the preview, so that no stale address outlives it. */
  readonly address: AddressCell;
}

export interface Routes {
  /** By the Host header as sent; synchronous and free of the store. */
  lookup(host: string | undefined): Route | undefined;
  /** Reads the store again, at most once a second; for hosts that are not known yet. */
  refresh(): Promise<void>;
  /**
   * Reads one preview again, at most five times a second: whoever was just told that it serves must
   * not be shown a page because the notification is still on its way.
   */
  freshen(key: string): Promise<void>;
  /** Calls back after a preview's routes changed. */
  onChange(listener: (key: string) => void): () => void;
  close(): void;
}

export interface RoutesDeps {
  readonly store: Pick<Store, "list" | "find" | "onChange">;
  /** Domain of the gateway with its port, as in the config: `localhost:4000`. */
  readonly domain: string;
  /** Absent: everybody may see every preview. */
  readonly guardOf?: (preview: Preview, service?: string) => Guard | undefined;
  readonly onError: (error: unknown) => void;
}

/** A gone preview keeps its page for this process's life, within this bound. */
const GONE_MAX = 500;
const REFRESH_INTERVAL_MS = 1_000;
const FRESHEN_INTERVAL_MS = 200;
const FRESHEN_PATIENCE_MS = 500;
/** A lost notification must not last: everything is read again this often. */
const RESYNC_INTERVAL_MS = 60_000;

/** Resolves once the routes of all previews in the store are known; rejects when it cannot be read. */
export async function createRoutes(deps: RoutesDeps): Promise<Routes> {
  const table = createTable(deps);
  const listeners = new Set<(key: string) => void>();
  const changed = (key: string) => {
    for (const listener of listeners) listener(key);
  };

  const load = async () => {
    const previews = await deps.store.list();
    const known = new Set(previews.map((preview) => preview.key));
    for (const preview of previews) if (table.put(preview)) changed(preview.key);
    for (const key of table.livingKeys()) if (!known.has(key)) await readOne(key);
  };
  const readOne = async (key: string) => {
    const preview = await deps.store.find(key);
    if (preview ? table.put(preview) : table.remove(key)) changed(key);
  };
  const readAgain = coalesced(readOne, deps.onError);
  // Subscribed before the first read: a change in between is not lost.
  const unsubscribe = deps.store.onChange(readAgain);
  await load().catch((error: unknown) => {
    unsubscribe();
    throw error;
  });

  let refreshedAt = performance.now();
  let refreshing: Promise<void> | undefined;
  const refresh = () => {
    if (refreshing) return refreshing;
    if (performance.now() - refreshedAt < REFRESH_INTERVAL_MS) return Promise.resolve();
    refreshing = load()
      .catch(deps.onError)
      .finally(() => {
        refreshedAt = performance.now();
        refreshing = undefined;
      });
    return refreshing;
  };
  const freshened = new Map<string, number>();
  const freshen = async (key: string) => {
    const now = performance.now();
    if (now - (freshened.get(key) ?? Number.NEGATIVE_INFINITY) < FRESHEN_INTERVAL_MS) return;
    freshened.set(key, now);
    const patience = new AbortController();
    const read = readOne(key).catch(deps.onError);
    // A store that hangs must not hold up a page that can be shown without it.
    await Promise.race([read, delay(FRESHEN_PATIENCE_MS, undefined, { signal: patience.signal })]).catch(() => {});
    patience.abort();
  };
  const timer = setInterval(() => {
    freshened.clear();
    void refresh();
  }, RESYNC_INTERVAL_MS);
  timer.unref();

  return {
    lookup: (host) => (host === undefined ? undefined : table.lookup(host)),
    refresh,
    freshen,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}

/** `Host` without port, in lower case and without a trailing dot. */
export function hostNameOf(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}

function createTable({ domain, guardOf }: Pick<RoutesDeps, "domain" | "guardOf">) {
  const byHost = new Map<string, Route>();
  const byKey = new Map<string, { readonly hosts: readonly string[]; readonly preview: Preview }>();
  const gone = new Set<string>();

  const remove = (key: string): boolean => {
    const entry = byKey.get(key);
    if (!entry) return false;
    for (const host of entry.hosts) if (byHost.get(host)?.key === key) byHost.delete(host);
    byKey.delete(key);
    gone.delete(key);
    return true;
  };

  /** Service `api` of `shop` and the whole of `api-shop` have one host: it is the latter's, whatever the former's file says. */
  const mayHave = (host: string, { key, host: name }: Route): boolean => {
    const taken = byHost.get(host);
    if (taken === undefined || taken.key === key) return true;
    const parsed = parseKey(key);
    return parsed !== undefined && name === hostNameOf(hostName(parsed, domain));
  };

  const put = (preview: Preview): boolean => {
    const before = byKey.get(preview.key);
    // What was read earlier may arrive later.
    if (before && before.preview.revision >= preview.revision) return false;
    remove(preview.key);
    const routes = routesOf(preview, domain, (service) => guardOf?.(preview, service));
    for (const [host, route] of routes) if (mayHave(host, route)) byHost.set(host, route);
    byKey.set(preview.key, { hosts: [...routes.keys()], preview });
    if (preview.status.goneAt) gone.add(preview.key);
    const oldest = gone.size > GONE_MAX ? gone.values().next().value : undefined;
    if (oldest !== undefined) remove(oldest);
    return true;
  };

  return {
    put,
    remove,
    livingKeys: () => [...byKey.keys()].filter((key) => !gone.has(key)),
    lookup: (host: string) => byHost.get(host) ?? byHost.get(hostNameOf(host)),
  };
}

/** By host, with and without port, so that the Host header as browsers send it is found at once. */
function routesOf(
  preview: Preview,
  domain: string,
  guardOf: (service: string | undefined) => Guard | undefined,
): Map<string, Route> {
  const routes = new Map<string, Route>();
  const { live } = preview.status;
  const healthPathsOf = (service: string | undefined) =>
    new Set(
      live?.services.flatMap(({ name, healthPath = "/" }) =>
        name === service && healthPath !== "/" ? [healthPath] : [],
      ),
    );
  const add = (host: string, service?: string) => {
    const route: Route = {
      key: preview.key,
      stack: preview.stack,
      host: hostNameOf(host),
      service,
      door: doorOf(preview),
      guard: guardOf(service),
      preview,
      healthPaths: healthPathsOf(service),
      address: addressCell(),
    };
    routes.set(host.toLowerCase(), route);
    routes.set(hostNameOf(host), route);
  };
  for (const [service, url] of Object.entries(live?.urls ?? {})) {
    if (URL.canParse(url)) add(new URL(url).host, service);
  }
  const key = parseKey(preview.key);
  if (key) {
    const main = hostName(key, domain);
    if (!routes.has(hostNameOf(main))) add(main, Object.keys(live?.urls ?? {})[0]);
  }
  return routes;
}

/** Many calls for one key while one runs become one more. */
function coalesced(read: (key: string) => Promise<void>, onError: (error: unknown) => void) {
  const running = new Map<string, { again: boolean }>();
  return async function start(key: string): Promise<void> {
    const current = running.get(key);
    if (current) {
      current.again = true;
      return;
    }
    const mark = { again: true };
    running.set(key, mark);
    while (mark.again) {
      mark.again = false;
      await read(key).catch(onError);
    }
    running.delete(key);
  };
}
