import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { ask, path, type RestApi, type RestCall } from "../../components/rest.ts";

const SECRET = "token of the test";
const shape = z.object({ name: z.string() });

describe("a vendor's REST API", () => {
  let server: Server;
  let api: RestApi;
  let seen: string[];
  let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];

  before(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const next = answers.shift();
      if (next) return next(request, response);
      response.setHeader("content-type", "application/json");
      response.end('{"name":"found"}');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    api = { vendor: "Acme", baseUrl, headers: { authorization: SECRET }, secrets: [SECRET] };
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  beforeEach(() => {
    seen = [];
    answers = [];
  });

  const call = (more: Partial<RestCall> = {}) => ask(api, { action: "asking", path: "/things", ...more }, shape);
  const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
    answers.push((_request, response) => response.writeHead(status, headers).end(body));
  const failure = async (more: Partial<RestCall> = {}): Promise<StacklingError> => {
    const error: unknown = await call(more).then(
      () => assert.fail("it was answered"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof StacklingError, String(error));
    return error;
  };

  it("gives the answer in its shape, and undefined for what is not there", async () => {
    assert.deepEqual(await call(), { name: "found" });
    answer(404, "");
    assert.equal(await call(), undefined);
  });

  it("takes no name for a part of the path", () => {
    assert.equal(path`/branches/${"../../other"}/passwords`, "/branches/..%2F..%2Fother/passwords");
  });

  it("asks a read again that a server could not answer, and never what might be done twice", async () => {
    answer(500, "{}");
    answers.push((request) => request.socket.destroy());
    assert.deepEqual(await call(), { name: "found" });
    assert.equal(seen.length, 3);
    answer(500, "{}");
    assert.equal((await failure({ method: "POST" })).reason, "TargetUnreachable");
    answers.push((request) => request.socket.destroy());
    assert.match((await failure({ method: "POST" })).message, /asking: Acme does not answer/);
    assert.equal(seen.length, 5);
  });

  it("waits as long as it is told to, unless that is too long for anybody", async () => {
    answer(429, "{}", { "retry-after": "0" });
    assert.deepEqual(await call({ method: "POST" }), { name: "found" });
    answer(429, '{"message":"slow down"}', { "retry-after": "3600" });
    assert.match((await failure()).message, /Acme cannot do it now: slow down/);
  });

  it("follows nobody elsewhere with the credential", async () => {
    answer(302, "", { location: `${api.baseUrl}/elsewhere` });
    await failure({ method: "POST" });
    assert.deepEqual(seen, ["POST /v1/things"]);
  });

  it("says what the vendor said, but never the credential", async () => {
    answer(403, JSON.stringify({ message: `no right for ${SECRET}`, code: "forbidden" }));
    const { reason, message } = await failure();
    assert.equal(reason, "TargetForbidden");
    assert.equal(message, "asking: Acme refuses the credential: no right for [secret] (forbidden)");
  });

  it("takes a full plan for good, and a server's own trouble for a while, whatever words it has for that", async () => {
    answer(422, '{"message":"Branch limit reached"}');
    assert.equal((await failure({ method: "POST" })).reason, "QuotaExceeded");
    answer(503, '{"message":"time limit exceeded"}');
    assert.equal((await failure({ method: "POST" })).reason, "TargetUnreachable");
  });

  it("takes a page of somebody else for no answer", async () => {
    answer(200, "<html>");
    assert.match((await failure()).message, /what answers is not Acme's API/);
  });
});
