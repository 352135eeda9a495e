/** A small OCI registry: manifests, blobs and referrers, with the three ways of authentication. */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RegistryWish {
  readonly auth?: "anonymous" | "basic" | "token";
  /** Needed for `basic`; with `token` the service gives tokens to nobody else. */
  readonly user?: { readonly username: string; readonly password: string };
}

export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Puts an image there and returns its digest; another text gives another image. */
  push(repository: string, tag: string, text?: string): string;
  /** A manifest as it is, under its digest and the tag where one is given; returns the digest. */
  put(repository: string, manifest: unknown, tag?: string): string;
  /** Content of the repository; returns its digest. */
  putBlob(repository: string, content: Buffer | string): string;
  /** Every request so far, as `HEAD /v2/…`. */
  readonly asked: string[];
  /** Headers of each, in the same order. */
  readonly headers: IncomingMessage["headers"][];
  /** Answers a request in place of the registry when it returns true. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

const INDEX = "application/vnd.oci.image.index.v1+json";

export async function startRegistry({ auth = "anonymous", user }: RegistryWish = {}): Promise<TestRegistry> {
  const manifests = new Map<string, Buffer>();
  const blobs = new Map<string, Buffer>();
  const tokens = new Map<string, string>();
  const asked: string[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const isUser = (header: string | undefined) =>
    user !== undefined && header === `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;

  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    if (registry.instead(request, response)) return;
    const url = new URL(request.url ?? "/", `http://${registry.host}`);
    if (url.pathname === "/token") return giveToken(url, request, response);
    if (url.pathname === "/v2/") {
      if (isAllowed("", request.headers.authorization)) send(response, 200, {});
      else challenge("", response);
      return;
    }
    const match = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/.exec(url.pathname);
    if (!match) return send(response, 404, error("UNSUPPORTED"));
    const [, repository = "", kind = "", reference = ""] = match;
    if (!isAllowed(repository, request.headers.authorization)) return challenge(repository, response);
    if (kind === "manifests") return sendManifest(request, response, manifests.get(`${repository} ${reference}`));
    if (kind === "referrers") return send(response, 200, referrersOf(repository, reference));
    const blob = blobs.get(`${repository} ${reference}`);
    if (!blob) return send(response, 404, error("BLOB_UNKNOWN"));
    response.writeHead(200, { "Content-Type": "application/octet-stream" }).end(blob);
  });

  function referrersOf(repository: string, subject: string): unknown {
    const all = [...manifests].filter(([at]) => at.startsWith(`${repository} sha256:`));
    const referring = all.flatMap(([at, body]) => {
      const { subject: of, artifactType, mediaType } = JSON.parse(body.toString("utf8"));
      return of?.digest === subject ? [{ mediaType, artifactType, digest: at.split(" ")[1], size: body.length }] : [];
    });
    return { schemaVersion: 2, mediaType: INDEX, manifests: referring };
  }

  function isAllowed(repository: string, authorization: string | undefined): boolean {
    if (auth === "anonymous") return true;
    if (auth === "basic") return isUser(authorization);
    return tokens.get(authorization?.replace(/^Bearer /, "") ?? "") === scopeOf(repository);
  }

  function challenge(repository: string, response: ServerResponse): void {
    const scope = repository ? `,scope="${scopeOf(repository)}"` : "";
    const words =
      auth === "basic"
        ? 'Basic realm="images"'
        : `Bearer realm="http://${registry.host}/token",service="images"${scope}`;
    response.setHeader("WWW-Authenticate", words);
    send(response, 401, error("UNAUTHORIZED"));
  }

  function giveToken(url: URL, request: IncomingMessage, response: ServerResponse): void {
    if (user && !isUser(request.headers.authorization)) {
      send(response, 401, error("UNAUTHORIZED"));
      return;
    }
    const token = randomUUID();
    tokens.set(token, url.searchParams.get("scope") ?? "");
    send(response, 200, { token, expires_in: 300 });
  }

  const registry: TestRegistry = {
    host: "",
    asked,
    headers,
    instead: () => false,
    push(repository, tag, text = tag) {
      const config = { digest: digestOf(Buffer.from(text)), mediaType: "application/vnd.oci.image.config.v1+json" };
      return registry.put(repository, { schemaVersion: 2, mediaType: INDEX, manifests: [config] }, tag);
    },
    put(repository, manifest, tag) {
      const body = Buffer.from(JSON.stringify(manifest));
      const digest = digestOf(body);
      manifests.set(`${repository} ${digest}`, body);
      if (tag !== undefined) manifests.set(`${repository} ${tag}`, body);
      return digest;
    },
    putBlob(repository, content) {
      const body = Buffer.from(content);
      blobs.set(`${repository} ${digestOf(body)}`, body);
      return digestOf(body);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(registry, { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function scopeOf(repository: string): string {
  return repository ? `repository:${repository}:pull` : "";
}

function sendManifest({ method, headers }: IncomingMessage, response: ServerResponse, body: Buffer | undefined): void {
  const mediaType: string = body ? JSON.parse(body.toString("utf8")).mediaType : "";
  // As registries do: who does not accept an index is told that there is nothing.
  if (!body || !headers.accept?.includes(mediaType)) {
    send(response, 404, error("MANIFEST_UNKNOWN"));
    return;
  }
  response.writeHead(200, {
    "Content-Type": mediaType,
    "Content-Length": body.length,
    "Docker-Content-Digest": digestOf(body),
  });
  response.end(method === "HEAD" ? undefined : body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

function error(code: string): unknown {
  return { errors: [{ code, message: code.toLowerCase() }] };
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}
