/** How much of what GitHub answered is kept for conditional requests. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { createGithubClient } from "../../../service/forges/github-client.ts";

const ANSWER = JSON.stringify({ body: "x".repeat(4 * 1024 * 1024) });
const ETAG = 'W/"same"';

describe("what GitHub answered", () => {
  /** Paths of requests that said which answer is known already. */
  const conditional: string[] = [];
  const server = createServer((request, response) => {
    const isKnown = request.headers["if-none-match"] === ETAG;
    if (isKnown) conditional.push(request.url ?? "");
    response.writeHead(isKnown ? 304 : 200, { "content-type": "application/json", etag: ETAG });
    response.end(isKnown ? "" : ANSWER);
  });
  before(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)));
  after(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  it("is kept up to a size, whatever was asked for longest ago going first", async () => {
    const client = createGithubClient({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      rateLimits: false,
      credential: { kind: "token", token: "token" },
    });
    const ask = (name: string) =>
      client.get({ repository: "acme/shop", path: `/${name}`, action: `asking for ${name}` });
    const first = await ask("list");
    for (let page = 1; page <= 20; page++) {
      await ask(`comments-${page}`);
      assert.deepEqual(await ask("list"), first);
    }
    const isKnown = async (name: string) => {
      conditional.length = 0;
      await ask(name);
      return conditional.length === 1;
    };
    assert.deepEqual([await isKnown("list"), await isKnown("comments-20")], [true, true]);
    assert.deepEqual([await isKnown("comments-1"), await isKnown("comments-2")], [false, false]);
  });
});
