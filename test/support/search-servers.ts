/**
 * What is used of Meilisearch's and Elasticsearch's APIs, on loopback, with keys that reach what they say: shapes and
 * rights as their API references have them.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export interface SearchServer {
  readonly url: string;
  /** Names of indexes that there are. */
  readonly indexes: Set<string>;
  /** `METHOD /path`, in order. */
  readonly calls: string[];
  /** The next calls are answered with these, one each. */
  readonly failures: { readonly status: number; readonly body: object }[];
  /** Status of making an index as an application does it, by what it was given. */
  write(key: string, index: string): Promise<number>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
}

interface Key {
  readonly uid: string;
  readonly name: string;
  readonly secret: string;
  readonly patterns: readonly string[];
  readonly rights: readonly string[];
}

type Handler = (request: IncomingMessage, url: URL, body: Record<string, never>) => Answer;

async function serve(
  handler: (server: { keys: Key[]; indexes: Set<string> }) => Handler,
  authorize: (key: string) => string,
  create: (index: string) => readonly [string, string, object | undefined],
): Promise<SearchServer> {
  const [keys, indexes, calls, failures]: [Key[], Set<string>, string[], SearchServer["failures"]] = [
    [],
    new Set(),
    [],
    [],
  ];
  const handle = handler({ keys, indexes });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://search");
    const body = Number(request.headers["content-length"] ?? 0) > 0 ? await json(request) : {};
    calls.push(`${request.method} ${url.pathname}`);
    const { status, body: told } = failures.shift() ?? handle(request, url, body as Record<string, never>);
    response.writeHead(status, { "content-type": "application/json", "retry-after": "0" });
    response.end(told && JSON.stringify(told));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    indexes,
    calls,
    failures,
    async write(key, index) {
      const [method, path, body] = create(index);
      const headers = { authorization: authorize(key), "content-type": "application/json" };
      return (await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })).status;
    },
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function reaches({ patterns }: Key, index: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? index.startsWith(pattern.slice(0, -1)) : index === pattern,
  );
}

export const MASTER_KEY = "master-key-of-the-test";

export function startMeilisearch(): Promise<SearchServer> {
  let tasks = 0;
  const nextTask = () => {
    tasks += 1;
    return tasks;
  };
  const refused = { status: 403, body: { message: "The provided API key is invalid.", code: "invalid_api_key" } };
  return serve(
    ({ keys, indexes }) =>
      ({ method, headers }, { pathname, searchParams }, body) => {
        const token = headers.authorization?.replace("Bearer ", "");
        const key = keys.find(({ secret }) => secret === token);
        const [, kind = "", name = ""] = decodeURIComponent(pathname).split("/");
        if (`${method} ${kind}` === "POST indexes") {
          const { uid } = body as unknown as { uid: string };
          if (!key?.rights.includes("indexes.create") || !reaches(key, uid)) return refused;
          indexes.add(uid);
          return { status: 202, body: { taskUid: nextTask() } };
        }
        if (token !== MASTER_KEY) return refused;
        const page = <T>(results: readonly T[]) => ({
          status: 200,
          body: {
            results: results.slice(0, Number(searchParams.get("limit") ?? 20)),
            offset: 0,
            total: results.length,
          },
        });
        if (kind === "tasks") return { status: 200, body: { uid: Number(name), status: "succeeded", error: null } };
        if (kind === "indexes" && method === "GET") return page([...indexes].map((uid) => ({ uid, primaryKey: null })));
        if (kind === "indexes") {
          indexes.delete(name);
          return { status: 202, body: { taskUid: nextTask(), indexUid: name, status: "enqueued" } };
        }
        if (method === "GET") return page(keys.map(({ uid, name: one }) => ({ uid, name: one })));
        if (method === "DELETE") {
          keys.splice(keys.findIndex(({ uid }) => uid === name) >>> 0, 1);
          return { status: 204 };
        }
        const wish = body as unknown as { name: string; indexes: string[]; actions: string[] };
        const made = {
          uid: randomUUID(),
          name: wish.name,
          secret: randomUUID(),
          patterns: wish.indexes,
          rights: wish.actions,
        };
        keys.push(made);
        return { status: 201, body: { uid: made.uid, name: made.name, key: made.secret } };
      },
    (key) => `Bearer ${key}`,
    (index) => ["POST", "/indexes", { uid: index }],
  );
}

export const ELASTIC = { username: "stackling", password: "word-of-the-test" } as const;

export function startElasticsearch(): Promise<SearchServer> {
  const admin = `Basic ${Buffer.from(`${ELASTIC.username}:${ELASTIC.password}`).toString("base64")}`;
  const dead = new Set<string>();
  const refused = { status: 403, body: { error: { type: "security_exception" }, status: 403 } };
  return serve(
    ({ keys, indexes }) =>
      ({ method, headers }, { pathname, searchParams }, body) => {
        const path = decodeURIComponent(pathname);
        const isAdmin = headers.authorization === admin;
        const key = keys.find(({ secret, uid }) => !dead.has(uid) && headers.authorization === `ApiKey ${secret}`);
        if (!isAdmin && !key) return { status: 401, body: { error: { type: "security_exception" }, status: 401 } };
        if (path === "/_security/api_key" && isAdmin) {
          if (method === "GET") {
            const asked = searchParams.get("name") ?? "";
            const found = keys.filter(({ name }) =>
              asked.endsWith("*") ? name.startsWith(asked.slice(0, -1)) : name === asked,
            );
            const told = found.map(({ uid, name }) => ({ id: uid, name, invalidated: dead.has(uid) }));
            return { status: 200, body: { api_keys: told } };
          }
          if (method === "DELETE") {
            for (const id of (body as unknown as { ids: string[] }).ids) dead.add(id);
            return { status: 200, body: { invalidated_api_keys: [] } };
          }
          const { name, role_descriptors: roles } = body as unknown as {
            name: string;
            role_descriptors: Record<string, { indices: { names: string[]; privileges: string[] }[] }>;
          };
          const given = Object.values(roles).flatMap(({ indices }) => indices);
          const [uid, secret] = [randomUUID(), randomUUID()];
          keys.push({
            uid,
            name,
            secret,
            patterns: given.flatMap(({ names }) => names),
            rights: given.flatMap(({ privileges }) => privileges),
          });
          return { status: 200, body: { id: uid, name, api_key: "x", encoded: secret } };
        }
        if (path.startsWith("/_resolve/index/") && isAdmin) {
          const start = path.slice("/_resolve/index/".length, -1);
          const names = [...indexes]
            .filter((one) => one.startsWith(start))
            .map((name) => ({ name, attributes: ["open"] }));
          return { status: 200, body: { indices: names, aliases: [], data_streams: [] } };
        }
        const index = path.slice(1);
        if (!isAdmin && !(key && reaches(key, index))) return refused;
        if (method === "PUT") indexes.add(index);
        else if (!indexes.delete(index)) return { status: 404, body: {} };
        return { status: 200, body: { acknowledged: true } };
      },
    (key) => `ApiKey ${key}`,
    (index) => ["PUT", `/${index}`, undefined],
  );
}
