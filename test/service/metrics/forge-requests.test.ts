import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { createGithubClient } from "../../../service/forges/github-client.ts";
import { createRestClient } from "../../../service/forges/rest-client.ts";
import { createForgeWatch } from "../../../service/metrics/forge-requests.ts";
import { createNumbers, type Numbers } from "../../../service/metrics/registry.ts";
import { samplesBy, samplesOf } from "../../support/metrics.ts";

interface Said {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

let server: Server;
let api: string;
/** What the forge says next; `{}` behind the last. */
let answers: Said[] = [];
let numbers: Numbers;

before(async () => {
  server = createServer((_request, response) => {
    const { status = 200, headers = {} } = answers.shift() ?? {};
    response.writeHead(status, { "content-type": "application/json", ...headers }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());
beforeEach(() => {
  answers = [];
  clock = Date.now();
  numbers = createNumbers();
});

let tell = () => {};
let clock = Date.now();
const watch = () => {
  const made = createForgeWatch({ numbers, forge: "hub", elapsed: () => performance.now(), now: () => clock });
  tell = made.tell;
  return made.watch;
};
const says = async (metric: string) => {
  tell();
  return samplesBy(samplesOf(await numbers.text()), metric);
};
const limit = (remaining: number, prefix = "x-ratelimit") => ({
  headers: {
    [`${prefix}-limit`]: "5000",
    [`${prefix}-remaining`]: String(remaining),
    [`${prefix}-reset`]: String(Math.floor(Date.now() / 1000) + 600),
  },
});

describe("what a forge is asked", () => {
  it("is counted by what became of it", async () => {
    const client = (watched = watch()) =>
      createRestClient({ api, name: "Hub", credential: async () => ({}), watch: watched });
    const ask = client();
    answers = [{}, { status: 404 }, { status: 500 }];
    await ask({ path: "/", action: "asking" });
    await ask({ path: "/", action: "asking", statuses: [404] });
    await assert.rejects(ask({ path: "/", action: "asking" }));
    answers = [{ status: 429, headers: { "retry-after": "60" } }];
    await assert.rejects(ask({ path: "/", action: "asking" }));
    await assert.rejects(ask({ path: "/", action: "asking" }), "and this one was not asked at all");
    const gone = createRestClient({
      api: "http://127.0.0.1:1",
      name: "Hub",
      credential: async () => ({}),
      watch: watch(),
    });
    await assert.rejects(gone({ path: "/", action: "asking" }));
    assert.deepEqual(await says("stackling_forge_requests_total"), {
      'forge="hub",outcome="2xx"': 1,
      'forge="hub",outcome="4xx"': 1,
      'forge="hub",outcome="5xx"': 1,
      'forge="hub",outcome="limited"': 1,
      'forge="hub",outcome="unreachable"': 1,
    });
    assert.deepEqual(await says("stackling_forge_request_duration_seconds_count"), { 'forge="hub"': 5 });
  });

  it("leaves of its limit what the scarcest credential has", async () => {
    const watched = watch();
    const clients = [1, 2].map(() =>
      createRestClient({ api, name: "Hub", credential: async () => ({}), watch: watched }),
    );
    answers = [limit(4_000), limit(90), limit(3_999, "ratelimit"), { headers: { "x-ratelimit-remaining": "soon" } }];
    for (const ask of [...clients, ...clients]) await ask({ path: "/", action: "asking" });
    assert.deepEqual(await says("stackling_forge_rate_limit_remaining"), { 'forge="hub"': 90 });
    assert.deepEqual(await says("stackling_forge_rate_limit"), { 'forge="hub"': 5_000 });
  });

  it("is all left again once the window is over, though nobody asks", async () => {
    const ask = createRestClient({ api, name: "Hub", credential: async () => ({}), watch: watch() });
    answers = [limit(3)];
    await ask({ path: "/", action: "asking" });
    assert.deepEqual(await says("stackling_forge_rate_limit_remaining"), { 'forge="hub"': 3 });
    clock += 601_000;
    assert.deepEqual(await says("stackling_forge_rate_limit_remaining"), { 'forge="hub"': 5_000 });
  });

  it("is counted where GitHub's own client asks", async () => {
    answers = [limit(12)];
    const credential = { kind: "token", token: "t0k3n" } as const;
    const client = createGithubClient({ baseUrl: api, credential, rateLimits: false, watch: watch() });
    await client.get({ repository: "acme/shop", path: "/pulls/1", action: "reading pull request 1" });
    assert.deepEqual(await says("stackling_forge_requests_total"), { 'forge="hub",outcome="2xx"': 1 });
    assert.deepEqual(await says("stackling_forge_rate_limit_remaining"), { 'forge="hub"': 12 });
    assert.doesNotMatch(await numbers.text(), /t0k3n|acme/);
  });
});
