// A folder of files over HTTP, for applications that are nothing else. Runs as the preview's own user,
// who cannot read Stackling's files: `detect.ts` hands the text over in the environment. No packages.
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  ".avif": "image/avif",
  ".css": "text/css; charset=utf-8",
  ".gif": "image/gif",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".mp4": "video/mp4",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webm": "video/webm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".xml": "application/xml",
};

const root = await realpath(process.env.STATIC_FOLDER ?? ".");

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (response.headersSent) return response.destroy();
    console.error(error.message);
    send(response, 500, "internal error\n");
  });
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("serving static files"));
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
async function answer(request, response) {
  if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "only GET and HEAD\n");
  const [rawPath = "/", query] = (request.url ?? "/").split("?", 2);
  const path = decoded(rawPath);
  if (path === undefined) return send(response, 400, "not a path\n");
  const found = await find(path);
  if (found === "folder") {
    response.setHeader("location", `${rawPath.replace(/^\/+/, "/")}/${query === undefined ? "" : `?${query}`}`);
    return send(response, 301, "");
  }
  if (found) return file(request, response, { path: found, status: 200 });
  const missing = await find("/404.html");
  if (missing) return file(request, response, { path: missing, status: 404 });
  return send(response, 404, "not found\n");
}

/**
 * A file inside the folder; "folder" where the slash at the end is missing. Hidden files are not shown.
 *
 * @param {string} path
 * @returns {Promise<string | undefined>}
 */
async function find(path) {
  const parts = path.split("/").filter(Boolean);
  if (parts.some((part) => part.startsWith(".") && part !== ".well-known")) return undefined;
  const real = await realpath(join(root, ...parts)).catch(() => undefined);
  if (!real || (real !== root && !real.startsWith(root + sep))) return undefined;
  const info = await stat(real);
  if (info.isFile()) return path.endsWith("/") ? undefined : real;
  if (!info.isDirectory()) return undefined;
  const index = await find([...parts, "index.html"].join("/"));
  return index && !path.endsWith("/") ? "folder" : index;
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 * @param {{path: string, status: number}} found
 */
async function file(request, response, { path, status }) {
  const info = await stat(path);
  const tag = `"${info.size.toString(36)}-${Math.trunc(info.mtimeMs).toString(36)}"`;
  response.setHeader("etag", tag);
  response.setHeader("cache-control", "no-cache");
  if (status === 200 && request.headers["if-none-match"] === tag) return response.writeHead(304).end();
  const type = TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
  response.writeHead(status, { "content-type": type, "content-length": info.size });
  if (request.method === "HEAD") return response.end();
  await pipeline(createReadStream(path), response);
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {number} status
 * @param {string} body
 */
function send(response, status, body) {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
}

/** @param {string} path */
function decoded(path) {
  try {
    const text = decodeURIComponent(path);
    return text.includes("\0") || text.includes("\\") ? undefined : text;
  } catch {
    return undefined;
  }
}
