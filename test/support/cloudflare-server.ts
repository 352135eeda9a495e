/**
 * The part of Cloudflare's API v4 that is used, on loopback: envelope, paging, filters and errors as the API
 * reference documents them ("Zones", "DNS Records for a Zone", "Rate limits").
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface CloudflareRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly comment?: string | null;
}

export interface CloudflareServer {
  readonly url: string;
  readonly zoneId: string;
  /** The one that is known. */
  token: string;
  readonly records: CloudflareRecord[];
  /** `METHOD /path?query` of every call, in order. */
  readonly calls: readonly string[];
  /** The next calls are answered with these, one each. */
  readonly failures: {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly message?: string;
  }[];
  close(): Promise<void>;
}

export const CLOUDFLARE_TOKEN = "v1.0-secret-of-the-test";
const ZONE = { id: "023e105f4ecef8ad9ca31a8372d0c353", name: "acme.dev", status: "active" };

export async function startCloudflareServer(records: readonly CloudflareRecord[] = []): Promise<CloudflareServer> {
  const calls: string[] = [];
  const failures: CloudflareServer["failures"] = [];
  const kept = [...records];
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    const { status, body, headers } = failureOf(request, made) ?? route(request, kept);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const made: CloudflareServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
    zoneId: ZONE.id,
    token: CLOUDFLARE_TOKEN,
    records: kept,
    calls,
    failures,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return made;
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

function failureOf({ headers }: IncomingMessage, { failures, token }: CloudflareServer): Answer | undefined {
  const planned = failures.shift();
  if (planned) return { ...failed(planned.status, planned.message ?? "no"), headers: planned.headers ?? {} };
  if (headers.authorization === `Bearer ${token}`) return undefined;
  return failed(403, `Authentication error with ${headers.authorization}`);
}

function route(request: IncomingMessage, records: CloudflareRecord[]): Answer {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
  const [, zone, id] = /^\/client\/v4\/zones(?:\/([^/]+)(?:\/dns_records(?:\/([^/]+))?)?)?$/.exec(pathname) ?? [];
  if (zone === undefined) return page(searchParams.get("name") === ZONE.name ? [ZONE] : [], searchParams);
  if (zone !== ZONE.id) return failed(404, "Could not route");
  if (!pathname.includes("/dns_records")) return done({ result: ZONE });
  if (request.method !== "DELETE") return page(filtered(records, searchParams), searchParams);
  const index = records.findIndex((record) => record.id === id);
  if (index < 0) return failed(404, "Record does not exist");
  records.splice(index, 1);
  return done({ result: { id } });
}

/** Filters of comments do not regard case: API reference, "List DNS Records". */
function filtered(records: readonly CloudflareRecord[], query: URLSearchParams): readonly CloudflareRecord[] {
  const start = query.get("comment.startswith")?.toLowerCase();
  const name = query.get("name.exact")?.toLowerCase();
  return records.filter(
    (record) =>
      (start === undefined || (record.comment ?? "").toLowerCase().startsWith(start)) &&
      (name === undefined || record.name.toLowerCase() === name),
  );
}

/** Two a page, so that few records show whether all pages are read. */
function page(all: readonly object[], query: URLSearchParams): Answer {
  const size = Math.min(2, Number(query.get("per_page")));
  const number = Number(query.get("page"));
  const result = all.slice((number - 1) * size, number * size);
  const count = { count: result.length, total_count: all.length, total_pages: Math.ceil(all.length / size) };
  return done({ result, result_info: { page: number, per_page: size, ...count } });
}

function done(body: object): Answer {
  return { status: 200, body: { success: true, errors: [], messages: [], ...body } };
}

function failed(status: number, message: string): Answer {
  return { status, body: { success: false, errors: [{ code: 10_000, message }], messages: [], result: null } };
}
