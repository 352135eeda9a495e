/** The banner through the gateway, before a real application. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  brotliCompressSync,
  brotliDecompressSync,
  createGunzip,
  createGzip,
  deflateSync,
  gunzipSync,
  gzipSync,
  constants as zlib,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import type { BannerConfig } from "../../../../service/config/banner.ts";
import { eventually } from "../../../support/eventually.ts";
import { aPreview } from "../../../support/previews.ts";
import { type Edge, HOST, startEdge, startUpstream, URLS } from "../edge.ts";

const PAGE = "<!doctype html><html><head><title>Shop</title></head><body>\u00e9</body></html>";
const TAG =
  /<script async src="(\/\.stackling\/banner\/[^"]+\.js)" data-style="([^"]+\.css)" nonce="([^"]+)"><\/script>/;

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

describe("the banner in a preview's pages", () => {
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  /** What the application does. */
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let seen: IncomingMessage[] = [];

  async function start(banner: BannerConfig | undefined, own?: BannerConfig): Promise<void> {
    edge = await startEdge({ banner: { banner } });
    edge.addresses.set("shop-pr-42/web", upstream.address);
    const preview = aPreview({ urls: URLS });
    const { live } = preview.status;
    const status = { ...preview.status, live: live && { ...live, ...(own === undefined ? {} : { banner: own }) } };
    edge.store.put({ ...preview, status });
  }

  beforeEach(async () => {
    seen = [];
    answer = (_request, response) => page(response, PAGE);
    upstream = await startUpstream((request, response) => {
      seen.push(request);
      answer(request, response);
    });
    await start(undefined);
  });
  afterEach(async () => {
    await edge.close();
    await upstream.close();
  });

  function page(
    response: ServerResponse,
    body: string | Buffer,
    headers: Record<string, string | string[]> = {},
  ): void {
    const bytes = Buffer.from(body as string);
    response.writeHead(200, { "Content-Type": "text/html", "Content-Length": String(bytes.length), ...headers });
    response.end(bytes);
  }

  async function open(path = "/", headers: Record<string, string> = {}, method = "GET"): Promise<IncomingMessage> {
    const request = httpRequest({
      port: edge.port,
      path,
      method,
      agent: false,
      headers: { host: HOST, "sec-fetch-dest": "document", ...headers },
    });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  }

  async function get(path?: string, headers?: Record<string, string>, method?: string): Promise<Got> {
    const response = await open(path, headers, method);
    const body = Buffer.concat((await response.toArray()) as Buffer[]);
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  const hasBanner = ({ body }: Got) => TAG.test(body.toString("latin1"));
  const without = (body: Buffer) => body.toString("latin1").replace(TAG, "");

  it("stands in a page that a person opens, and nothing else of the page changes", async () => {
    answer = (_request, response) =>
      page(response, PAGE, {
        ETag: '"1"',
        "Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT",
        "Accept-Ranges": "bytes",
        "Content-Digest": "sha-256=:x:",
        "X-Own": ["a", "b"],
        "Set-Cookie": ["a=1; Domain=localhost", "b=2"],
        Vary: "Cookie",
      });
    const got = await get();
    assert.equal(got.status, 200);
    assert.equal(without(got.body), Buffer.from(PAGE).toString("latin1"));
    for (const name of ["content-length", "etag", "last-modified", "accept-ranges", "content-digest"]) {
      assert.equal(got.headers[name], undefined, name);
    }
    assert.equal(got.headers["x-own"], "a, b");
    assert.deepEqual(got.headers["set-cookie"], ["a=1", "b=2"]);
    assert.equal(got.headers.vary, "Cookie, Sec-Fetch-Dest");
    assert.match(String(got.headers["x-robots-tag"]), /noindex/);
  });

  it("has another nonce on every page", async () => {
    const nonces = [await get(), await get()].map(({ body }) => TAG.exec(body.toString("latin1"))?.[3]);
    assert.match(nonces[0] ?? "", /^[\w+/]{22}==$/);
    assert.notEqual(nonces[0], nonces[1]);
  });

  it("leaves alone whatever is no page that a person opens", async () => {
    for (const dest of ["iframe", "empty", "frame", "embed", "object", "script"]) {
      const got = await get("/", { "sec-fetch-dest": dest });
      assert.equal(got.body.toString("utf8"), PAGE, dest);
      assert.equal(got.headers["content-length"], String(Buffer.byteLength(PAGE)), dest);
    }
    assert.equal(hasBanner(await get("/", {}, "POST")), false);
    assert.equal(hasBanner(await get("/", { "x-stackling-bypass": "of a test runner" })), false);
    assert.equal(hasBanner(await get("/", { cookie: "a=b; stackling-bypass=x" })), false);
    const head = await get("/", {}, "HEAD");
    assert.equal(head.headers["content-length"], String(Buffer.byteLength(PAGE)));
  });

  const untouched: Readonly<Record<string, readonly [status: number, headers: Record<string, string>]>> = {
    "an error": [500, {}],
    "a page that is not there": [404, {}],
    "what is not modified": [304, { ETag: '"1"' }],
    "a part": [206, { "Content-Range": "bytes 0-9/100", ETag: '"1"' }],
    "a part that calls itself a whole": [200, { "Content-Range": "bytes 0-9/100" }],
    "a download": [200, { "Content-Disposition": 'attachment; filename="a.html"' }],
    "what nobody may change": [200, { "Cache-Control": "private, No-Transform" }],
    "another type": [200, { "Content-Type": "application/xhtml+xml" }],
    "a type that only begins like it": [200, { "Content-Type": "text/html-template" }],
    "UTF-16": [200, { "Content-Type": "text/html; charset=UTF-16" }],
    "UTF-16 in quotes": [200, { "Content-Type": 'text/html;charset="utf-16be"' }],
    "ISO-2022-JP": [200, { "Content-Type": "text/html; charset=csISO2022JP" }],
    "an unknown coding": [200, { "Content-Encoding": "x-rot13" }],
    "two codings": [200, { "Content-Encoding": "gzip, br" }],
  };
  for (const [name, [status, headers]] of Object.entries(untouched)) {
    it(`leaves ${name} as it is, to the last byte and header`, async () => {
      const body = status === 304 ? Buffer.alloc(0) : Buffer.from("<head></head>\xff\x00", "latin1");
      answer = (_request, response) => {
        const length = status === 304 ? {} : { "Content-Length": String(body.length) };
        response.writeHead(status, { "Content-Type": "text/html", ...length, ...headers });
        response.end(status === 304 ? undefined : body);
      };
      const got = await get();
      assert.equal(got.status, status);
      assert.deepEqual(got.body, body);
      for (const [header, value] of Object.entries(headers)) assert.equal(got.headers[header.toLowerCase()], value);
      if (status !== 304) assert.equal(got.headers["content-length"], String(body.length));
    });
  }

  for (const charset of ["iso-8859-1", "shift_jis", "gb18030", "utf-8", "windows-1252", "klingon"]) {
    it(`keeps every byte of a page in ${charset}`, async () => {
      const bytes = Buffer.concat([
        Buffer.from("<head></head>"),
        Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
      ]);
      answer = (_request, response) => page(response, bytes, { "Content-Type": `Text/HTML; charset=${charset}` });
      const got = await get();
      assert.ok(hasBanner(got));
      assert.equal(without(got.body), bytes.toString("latin1"));
    });
  }

  const codings = {
    gzip: [gzipSync, gunzipSync],
    "X-GZIP": [gzipSync, gunzipSync],
    br: [brotliCompressSync, brotliDecompressSync],
    zstd: [zstdCompressSync, zstdDecompressSync],
    identity: [(body: Buffer) => body, (body: Buffer) => body],
  } as const;
  for (const [coding, [pack, unpack]] of Object.entries(codings)) {
    it(`stands in a page that comes as ${coding}, and leaves it so`, async () => {
      const large = Buffer.concat([Buffer.from(PAGE), Buffer.alloc(3_000_000, "<p>Hello</p>")]);
      answer = (_request, response) => page(response, pack(large), { "Content-Encoding": coding });
      const got = await get("/", { "accept-encoding": "gzip, br, zstd, x-own" });
      assert.equal(seen[0]?.headers["accept-encoding"], "gzip, br, zstd, x-own");
      assert.equal(got.headers["content-encoding"], coding);
      const body = unpack(got.body);
      assert.ok(TAG.test(body.toString("latin1")));
      assert.equal(without(body) === large.toString("latin1"), true);
    });
  }

  it("lets an answer of nothing be nothing, packed or not", async () => {
    for (const headers of [
      {},
      { "Content-Encoding": "gzip" },
      { "Content-Encoding": "br" },
      { "Content-Encoding": "zstd" },
    ]) {
      answer = (_request, response) => page(response, "", headers as Record<string, string>);
      const got = await get();
      assert.equal(got.status, 200);
      assert.equal(hasBanner(got), false);
    }
  });

  it("passes a coding that nobody here takes off", async () => {
    const packed = deflateSync(PAGE);
    answer = (_request, response) => page(response, packed, { "Content-Encoding": "deflate" });
    assert.deepEqual((await get()).body, packed);
  });

  it("ends an answer that is not coded as it says, and goes on serving", async () => {
    const spoiled = gzipSync(PAGE);
    spoiled[spoiled.length - 5] = 0;
    for (const body of [PAGE, spoiled]) {
      answer = (_request, response) => page(response, body, { "Content-Encoding": "gzip" });
      await assert.rejects(get());
    }
    answer = (_request, response) => page(response, PAGE);
    assert.ok(hasBanner(await get()));
  });

  it("gives out what there is of a packed page that is cut short", async () => {
    const packed = gzipSync(PAGE + "x".repeat(1_000));
    answer = (_request, response) => page(response, packed.subarray(0, -12), { "Content-Encoding": "gzip" });
    assert.match(gunzipSync((await get()).body, { finishFlush: zlib.Z_SYNC_FLUSH }).toString("latin1"), TAG);
  });

  for (const packed of [false, true]) {
    it(`lets a ${packed ? "packed " : ""}page that comes by and by come by and by`, async () => {
      const go = Promise.withResolvers<void>();
      answer = async (_request, response) => {
        response.writeHead(200, { "Content-Type": "text/html", ...(packed ? { "Content-Encoding": "gzip" } : {}) });
        const out = packed ? createGzip({ flush: zlib.Z_SYNC_FLUSH }) : response;
        if (packed) out.pipe(response);
        out.write("<head></head><body>one");
        await go.promise;
        out.end("two");
      };
      const response = await open();
      const body = packed ? response.pipe(createGunzip()) : response;
      let text = "";
      body.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      await eventually(() => text.endsWith("one"));
      assert.match(text, TAG);
      go.resolve();
      await once(body, "end");
      assert.match(text, /onetwo$/);
    });
  }

  it("sends the head of a page before its first byte", async () => {
    const went = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.flushHeaders();
      response.once("close", went.resolve);
    };
    const response = await open();
    assert.equal(response.statusCode, 200);
    // And when the visitor goes, the application's answer ends.
    response.destroy();
    await went.promise;
  });

  it("takes no more of a page than its visitor does", async () => {
    let written = 0;
    const block = Buffer.alloc(1024 * 1024, "<p>x</p>");
    const ended = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.once("close", ended.resolve);
      const more = () => {
        while (written < 400 && !response.destroyed) {
          written += 1;
          if (!response.write(block)) {
            response.once("drain", more);
            full.resolve();
            return;
          }
        }
      };
      more();
    };
    const response = await open();
    await full.promise;
    // What nobody reads fills the sockets between and nothing else.
    let before = -1;
    await eventually(() => {
      const isSteady = before === written;
      before = written;
      return isSteady;
    });
    assert.ok(written < 200, `${written} MiB were taken`);
    response.destroy();
    await ended.promise;
  });

  it("cuts its visitor's answer off where the application's is cut off", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/html", "Content-Length": "1000" });
      response.write("<head></head>", () => response.destroy());
    };
    const response = await open();
    await assert.rejects(response.toArray());
  });

  it("is allowed by every policy of the page, at its exact addresses and by nonce", async () => {
    answer = (_request, response) =>
      page(response, PAGE, {
        "Content-Security-Policy": ["default-src 'none'", "script-src 'nonce-x' 'strict-dynamic'"],
        "Content-Security-Policy-Report-Only": "style-src 'self'; report-uri /csp",
      });
    const { headers, body } = await get();
    const [, script, style, nonce] = TAG.exec(body.toString("latin1")) ?? [];
    const policy = String(headers["content-security-policy"]);
    assert.equal(
      policy,
      `default-src 'none'; script-src http://${HOST}${script} 'nonce-${nonce}'; style-src http://${HOST}${style} 'nonce-${nonce}'; connect-src http://${HOST}/.stackling/banner.json, ` +
        `script-src 'nonce-x' 'strict-dynamic' http://${HOST}${script} 'nonce-${nonce}'`,
    );
    assert.match(String(headers["content-security-policy-report-only"]), /style-src 'self' http:.*; report-uri \/csp$/);
  });

  it("brings files that browsers keep, and facts that they do not", async () => {
    const [, script = "", style = ""] = TAG.exec((await get()).body.toString("latin1")) ?? [];
    for (const [path, type] of [
      [script, "text/javascript; charset=utf-8"],
      [style, "text/css; charset=utf-8"],
    ] as const) {
      const file = await get(path, { "sec-fetch-dest": "script" });
      assert.equal(file.headers["content-type"], type);
      assert.equal(file.headers["cache-control"], "private, max-age=31536000, immutable");
      assert.equal(file.headers["x-content-type-options"], "nosniff");
      const older = await get(path.replace(/[^/]+\./, "AAAAAAAAAAAAAAAA."), { "sec-fetch-dest": "script" });
      assert.deepEqual(older.body, file.body);
      assert.equal(older.headers["cache-control"], "no-store");
    }
    const facts = await get("/.stackling/banner.json?x=1", { "sec-fetch-dest": "empty" });
    assert.equal(facts.headers["cache-control"], "no-store");
    assert.equal(facts.headers["access-control-allow-origin"], undefined);
    assert.equal(facts.headers["cross-origin-resource-policy"], "same-origin");
    assert.equal(JSON.parse(facts.body.toString()).key, "shop#42");
    assert.equal((await get("/.stackling/banner/a.png")).status, 404);
    assert.equal((await get(script, {}, "POST")).status, 405);
    assert.equal((await get("/.stackling/banner.json", {}, "DELETE")).status, 405);
    assert.deepEqual(
      seen.map(({ url }) => url),
      ["/"],
    );
  });

  it("asks the store nothing, counts no visit and wakes nobody", async () => {
    await get("/.stackling/banner.json");
    edge.store.put(aPreview({ urls: URLS, status: { awake: false, reason: "Asleep" } }));
    await eventually(async () => {
      const { body } = await get("/.stackling/banner.json");
      return /fell asleep/.test(body.toString());
    });
    const before = edge.store.questions();
    await get("/.stackling/banner.json");
    assert.equal(edge.store.questions(), before);
    assert.equal(edge.visits.noted("shop#42"), false);
    assert.deepEqual(edge.woken, []);
  });

  it("lets nobody have its files who has not passed the door", async () => {
    await edge.close();
    edge = await startEdge({
      banner: {},
      access: {
        access: { kind: "doors", doors: {}, satisfy: "all", bypass: { env: "BYPASS" } },
        environment: { BYPASS: "t0k3n" },
      },
    });
    edge.addresses.set("shop-pr-42/web", upstream.address);
    edge.store.put(aPreview({ urls: URLS }));
    for (const path of ["/.stackling/banner.json", "/.stackling/banner/x.js"]) {
      assert.equal((await get(path)).status, 403, path);
      assert.equal((await get(path, { "x-stackling-bypass": "t0k3n" })).status, 200, path);
    }
  });

  it("is off where the operator or the application says so", async () => {
    const cases: readonly (readonly [BannerConfig | undefined, BannerConfig | undefined, string, boolean])[] = [
      [undefined, undefined, "/", true],
      [true, true, "/", true],
      [false, undefined, "/", false],
      [false, true, "/", false],
      [true, false, "/", false],
      [{ off: ["/embed"] }, undefined, "/embed?x=/", false],
      [{ off: ["/embed"] }, undefined, "/embed/a/b", false],
      [{ off: ["/embed"] }, undefined, "/embedded", true],
      [{ off: ["/admin/**"] }, { off: ["/p/*/print"] }, "/admin", false],
      [{ off: ["/admin/**"] }, { off: ["/p/*/print"] }, "/admin/x/y", false],
      [{ off: ["/admin/**"] }, { off: ["/p/*/print"] }, "/p/1/print", false],
      [{ off: ["/admin/**"] }, { off: ["/p/*/print"] }, "/p/1/2/print", true],
      [{ off: ["/"] }, undefined, "/", false],
      [{ off: ["/"] }, undefined, "/shop", false],
      [{ off: ["/p/*"] }, undefined, "/p/1", false],
      [{ off: ["/p/*"] }, undefined, "/p/1/2", true],
      [{ off: ["/a/"] }, undefined, "/a", false],
    ];
    for (const [operator, own, path, isOn] of cases) {
      await edge.close();
      await start(operator, own);
      assert.equal(hasBanner(await get(path)), isOn, JSON.stringify([operator, own, path]));
    }
  });
});
