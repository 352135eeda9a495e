/** A further cluster's ingress, played on loopback: by TLS, and for nobody who lacks the gateway's header. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { WebSocket, WebSocketServer } from "ws";
import { type Ingress, readReach, reach as schema } from "../../../components/kubernetes/reach.ts";
import { checkReach } from "../../../components/kubernetes/reach-check.ts";
import { aPreview } from "../../support/previews.ts";
import { requires } from "../../support/requires.ts";
import { ask, type Edge, HOST, startEdge, URLS } from "./edge.ts";

const NAME = "x-stackling-gateway";
const VALUE = "a-test-value-of-the-header";
const VARIABLE = "TEST_REACH_HEADER";

describe("gateway to a further cluster", requires("openssl"), () => {
  let folder: string;
  let certificate: string;
  let server: Server;
  let edge: Edge;
  let ingress: Ingress;
  const seen: IncomingMessage[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-reach-"));
    certificate = join(folder, "cert.pem");
    const subject = ["-subj", "/CN=ingress.test", "-addext", "subjectAltName=DNS:ingress.test"];
    const files = ["-keyout", join(folder, "key.pem"), "-out", certificate];
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    await execa("openssl", ["req", "-x509", ...made, ...subject, ...files]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    process.env[VARIABLE] = VALUE;
    seen.length = 0;
    const [cert, key] = await Promise.all([readFile(certificate), readFile(join(folder, "key.pem"))]);
    server = createServer({ cert, key }, (request, response) => {
      seen.push(request);
      // As `return 444` of nginx.
      if (request.headers[NAME] !== VALUE) return request.socket.destroy();
      response.end(`${request.headers.host} ${request.url}`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    ingress = schema.parse({
      host: "127.0.0.1",
      port,
      ingressClass: "previews",
      tls: { ca: { file: certificate }, serverName: "ingress.test" },
      header: { name: "X-Stackling-Gateway", value: { env: VARIABLE } },
    }) as Ingress;
    edge = await startEdge({ reach: () => readReach(ingress) });
    edge.addresses.set("shop-pr-42/web", `127.0.0.1:${port}`);
    edge.store.put(aPreview({ urls: URLS }));
  });
  afterEach(async () => {
    await edge.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    delete process.env[VARIABLE];
  });

  it("dials its ingress by TLS, with the header and the preview's host", async () => {
    for (let i = 0; i < 2; i += 1) assert.equal((await ask(edge.port, { path: "/a?b" })).body, `${HOST} /a?b`);
    const posted = await ask(edge.port, { method: "POST", body: "text" });
    assert.deepEqual([posted.status, edge.errors], [200, []]);
  });

  it("lets no visitor's header of that name through", async () => {
    for (const name of [NAME, "X-Stackling-Gateway"]) {
      assert.equal((await ask(edge.port, { headers: { [name]: "a visitor's" } })).status, 200);
      assert.equal((await ask(edge.port, { headers: { [name]: "a visitor's", Connection: name } })).status, 200);
    }
    assert.deepEqual([...new Set(seen.map(({ headers }) => headers[NAME]))], [VALUE]);
  });

  it("carries a WebSocket", async () => {
    const echo = new WebSocketServer({
      server,
      verifyClient: ({ req }: { req: IncomingMessage }) => req.headers[NAME] === VALUE,
    });
    echo.on("connection", (socket) => socket.on("message", (data) => socket.send(`echo ${data}`)));
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/`, { headers: { host: HOST } });
    await once(client, "open");
    client.send("hi");
    assert.equal(String((await once(client, "message"))[0]), "echo hi");
    client.close();
    await once(client, "close");
    echo.close();
  });

  it("answers 502 and says why where the header's value is missing", async () => {
    delete process.env[VARIABLE];
    assert.equal((await ask(edge.port)).status, 502);
    assert.match(String(edge.errors[0]), /the header "x-stackling-gateway" for the ingress .* "TEST_REACH_HEADER"/);
    assert.equal(seen.length, 0);
  });

  it("answers 502 where the value is wrong, and tells it nobody", async () => {
    process.env[VARIABLE] = "a-wrong-value";
    const answer = await ask(edge.port);
    assert.equal(answer.status, 502);
    assert.match(String(edge.errors[0]), /reaching the ingress "127.0.0.1:\d+": ECONNRESET/);
    assert.doesNotMatch(JSON.stringify([edge.errors.map(String), answer]), /a-wrong-value/);
  });

  it("answers 502 to a certificate of another name or another authority", async () => {
    ingress = { ...ingress, tls: { ca: { file: certificate } } };
    assert.equal((await ask(edge.port)).status, 502);
    ingress = { ...ingress, tls: { serverName: "ingress.test" } };
    assert.equal((await ask(edge.port)).status, 502);
    assert.match(String(edge.errors[0]), /ALTNAME_INVALID/);
    assert.match(String(edge.errors[1]), /SELF_SIGNED/);
    assert.equal(seen.length, 0);
  });

  it("is found well by doctor, or by what is wrong, without the value", async () => {
    const found = async () => (await checkReach(ingress))[0];
    assert.deepEqual([(await found())?.ok, (await found())?.what.includes(NAME)], [true, true]);
    process.env[VARIABLE] = "a-wrong-value";
    const refused = await found();
    assert.deepEqual([refused?.ok, /ECONNRESET, as for a wrong header/.test(refused?.what ?? "")], [false, true]);
    assert.doesNotMatch(JSON.stringify(refused), /a-wrong-value/);
    delete process.env[VARIABLE];
    assert.match((await found())?.what ?? "", /TEST_REACH_HEADER" that should hold it is missing/);
    process.env[VARIABLE] = VALUE;
    ingress = { ...ingress, tls: true };
    assert.match((await found())?.what ?? "", /reaching the ingress .*CERT/);
  });
});

describe("the option reach", () => {
  const ingress = { host: "ingress.eu.test", port: 443, ingressClass: "previews" };
  const header = { name: NAME, value: { env: VARIABLE } };
  const cases: readonly (readonly [string, object, RegExp | undefined])[] = [
    ["is one ingress", {}, undefined],
    ["takes TLS by the public authorities", { tls: true, header }, undefined],
    ["takes a header in plain text on loopback", { host: "127.0.0.1", header }, undefined],
    ["refuses a header in plain text anywhere else", { header }, /in plain text/],
    ["refuses a header that frames the message", { tls: true, header: { ...header, name: "Host" } }, /of your own/],
    ["refuses a header that is no name", { tls: true, header: { ...header, name: "a b" } }, /of your own/],
    ["refuses an address as a certificate's name", { tls: { serverName: "10.0.0.1" } }, /must be a name/],
  ];
  for (const [does, options, refused] of cases) {
    it(does, () => {
      const { error } = schema.safeParse({ ...ingress, ...options });
      if (refused) assert.match(error?.message ?? "", refused);
      else assert.equal(error, undefined);
    });
  }
});
