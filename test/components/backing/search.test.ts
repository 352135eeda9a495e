/** Previews' parts of search servers, on servers that speak as their API references say. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { checkElasticsearch, elasticsearchPart } from "../../../components/elasticsearch/part.ts";
import type { BackingKind } from "../../../components/local/backing-kind.ts";
import { checkMeilisearch, meilisearchPart } from "../../../components/meilisearch/part.ts";
import type { Finding } from "../../../components/operations.ts";
import {
  ELASTIC,
  MASTER_KEY,
  type SearchServer,
  startElasticsearch,
  startMeilisearch,
} from "../../support/search-servers.ts";

const SECRET = "STACKLING_TEST_SEARCH_SECRET";

suite("Meilisearch", {
  part: meilisearchPart,
  check: checkMeilisearch,
  start: startMeilisearch,
  secret: MASTER_KEY,
  optionsFor: (url) => ({ url, key: { env: SECRET } }),
});
suite("Elasticsearch", {
  part: elasticsearchPart,
  check: checkElasticsearch,
  start: startElasticsearch,
  secret: ELASTIC.password,
  optionsFor: (url) => ({ url, username: ELASTIC.username, password: { env: SECRET } }),
});

function suite<O>(
  vendor: string,
  subject: {
    readonly part: BackingKind<O>;
    readonly check: (options: O) => Promise<readonly Finding[]>;
    readonly start: () => Promise<SearchServer>;
    readonly secret: string;
    readonly optionsFor: (url: string) => O;
  },
): void {
  const { part } = subject;
  const grantee = (stack: string) => ({ stack, password: "unused", topics: [] });

  describe(`a preview's part of ${vendor}`, () => {
    let server: SearchServer;
    let options: O;
    before(() => {
      process.env[SECRET] = subject.secret;
    });
    after(() => {
      delete process.env[SECRET];
    });
    beforeEach(async () => {
      server = await subject.start();
      options = subject.optionsFor(server.url);
    });
    afterEach(() => server.close());

    it("reaches the indexes below its prefix, and nobody else's", async () => {
      const { values, addresses } = await part.grant(options, grantee("shop-pr-4"));
      const { key = "", prefix, url } = values;
      assert.deepEqual([prefix, url, addresses], ["shop-pr-4_", server.url, [new URL(server.url).host]]);
      assert.ok((await server.write(key, "shop-pr-4_products")) < 300);
      for (const other of ["shop-pr-42_products", "products"]) assert.equal(await server.write(key, other), 403, other);
    });

    it("is good no longer when it is made anew", async () => {
      const { values: before } = await part.grant(options, grantee("shop-pr-4"));
      const { values: now } = await part.grant(options, grantee("shop-pr-4"));
      assert.ok((await server.write(before.key ?? "", "shop-pr-4_a")) >= 400);
      assert.ok((await server.write(now.key ?? "", "shop-pr-4_a")) < 300);
      assert.equal((await part.list(options)).length, 1);
    });

    it("is good until the next one is made, so that what serves keeps it when that fails", async () => {
      await part.grant(options, grantee("shop-pr-4"));
      server.calls.length = 0;
      await part.grant(options, grantee("shop-pr-4"));
      const methods = server.calls.map((call) => call.split(" ")[0]).filter((method) => method !== "GET");
      assert.deepEqual(methods, ["POST", "DELETE"]);
    });

    it("leaves nothing of it, and touches nothing else", async () => {
      await part.grant(options, grantee("shop-pr-6"));
      await part.grant(options, grantee("shop-pr-66"));
      for (const index of ["shop-pr-6_a", "shop-pr-6_b", "shop-pr-66_a", "products"]) server.indexes.add(index);
      assert.equal((await part.list(options, "shop-pr-6")).length, 3);
      assert.ok(await part.holds(options, "shop-pr-6"));
      await part.revoke(options, "shop-pr-6");
      await part.revoke(options, "shop-pr-6");
      assert.deepEqual(await part.list(options, "shop-pr-6"), []);
      assert.equal(await part.holds(options, "shop-pr-6"), false);
      assert.deepEqual([...server.indexes].sort(), ["products", "shop-pr-66_a"]);
      assert.deepEqual(
        (await part.list(options)).map(({ stack }) => stack),
        ["shop-pr-66"],
      );
    });

    it("waits out a busy server, and tells in words who is away or refuses, with no secret in them", async () => {
      server.failures.push({ status: 429, body: {} }, { status: 503, body: {} });
      assert.deepEqual(await part.list(options), []);
      const told = (promise: Promise<unknown>) =>
        promise.then(
          () => "",
          (error: Error) => error.message,
        );
      server.failures.push({ status: 401, body: { message: `bad key ${subject.secret}` } });
      assert.match(
        await told(part.list(options)),
        new RegExp(`${vendor} refuses the credential: bad key \\[secret\\]$`),
      );
      server.failures.push({ status: 400, body: { message: "no such thing" } });
      assert.match(await told(part.list(options)), new RegExp(`${vendor} refuses it: no such thing$`));
      const [finding] = await subject.check(options);
      assert.equal(finding?.ok, true);
    });
  });
}
