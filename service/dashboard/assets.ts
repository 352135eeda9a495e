/**
 * What the pages load: our own files and those of the packages they stand on, from this host alone. Their
 * address holds a digest of all of them, so that browsers keep them for good and never mix two versions.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import express, { type Request, type Response, type Router } from "express";

/** As they come in the packages; nothing is built. */
const VENDOR: Readonly<Record<string, string>> = {
  "htmx.js": "htmx.org/dist/htmx.min.js",
  "htmx-sse.js": "htmx-ext-sse/dist/sse.min.js",
  "htmx-morph.js": "idiomorph/dist/idiomorph-ext.min.js",
};
const OWN = new URL("./assets/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};
const KEPT = "public, max-age=31536000, immutable";
/** A page that was open over an update asks by the digest of before. */
const NOT_KEPT = "no-cache";

interface Assets {
  readonly digest: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

let read: Assets | undefined;

/** Address of one of them: `style.css`, `vendor/htmx.js`. */
export function assetUrl(name: string): string {
  const { digest, files } = assets();
  if (!files.has(name)) throw new Error(`linking an asset: there is no "${name}"`);
  return `/assets/${digest}/${name}`;
}

export function assetPages(harden: (response: Response) => void): Router {
  const pages = express.Router();
  const packed = new Map<string, Buffer>();
  const answer = (request: Request, response: Response, name: string) => {
    const { digest, files } = assets();
    const body = files.get(name);
    harden(response);
    if (!body) return void response.status(404).type("text").send("There is nothing at this address.\n");
    response.setHeader("Content-Type", TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream");
    response.setHeader("Cache-Control", request.path.startsWith(`/assets/${digest}/`) ? KEPT : NOT_KEPT);
    response.setHeader("Vary", "Accept-Encoding");
    if (!request.acceptsEncodings("gzip")) return void response.send(body);
    const small = packed.get(name) ?? gzipSync(body);
    packed.set(name, small);
    response.setHeader("Content-Encoding", "gzip");
    response.send(small);
  };
  pages.get("/assets/:digest/:name", (request, response) => answer(request, response, request.params.name));
  pages.get("/assets/:digest/vendor/:name", (request, response) =>
    answer(request, response, `vendor/${request.params.name}`),
  );
  // Asked for beside what is no page, such as a log as text.
  pages.get("/favicon.ico", (request, response) => answer(request, response, "icon.svg"));
  return pages;
}

/** Read when the first page is, so that the service starts no later for it. */
function assets(): Assets {
  if (read) return read;
  const own = readdirSync(OWN).map((name) => [name, readFileSync(new URL(name, OWN))] as const);
  const vendor = Object.entries(VENDOR).map(
    ([name, file]) => [`vendor/${name}`, readFileSync(fileURLToPath(import.meta.resolve(file)))] as const,
  );
  const files = new Map([...own, ...vendor].sort(([one], [other]) => (one < other ? -1 : 1)));
  const hash = createHash("sha256");
  for (const [name, body] of files) hash.update(`${name} ${body.length}\n`).update(body);
  read = { digest: hash.digest("hex").slice(0, 16), files };
  return read;
}
