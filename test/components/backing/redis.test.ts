import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { checkRedis, redisOptions, redisPart } from "../../../components/redis/part.ts";
import { type RedisServer, redis, startRedis } from "../../support/redis-server.ts";
import { requires } from "../../support/requires.ts";

const URL_VARIABLE = "STACKLING_TEST_REDIS_URL";
const options = redisOptions.parse({ url: { env: URL_VARIABLE } });
const granted = async (...args: Parameters<typeof redisPart.grant>) => (await redisPart.grant(...args)).values;
const grantee = (stack: string, password = "word") => ({ stack, password, topics: [] });

describe("a preview's part of Redis", requires("redis"), () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
    process.env[URL_VARIABLE] = server.url;
  });
  after(async () => {
    delete process.env[URL_VARIABLE];
    await server?.stop();
  });

  it("lets it use the keys and channels below its prefix, and nobody else's", async () => {
    const [one, two] = await Promise.all(["shop-pr-4", "shop-pr-42"].map((stack) => granted(options, grantee(stack))));
    assert.ok(one?.url && two?.url);
    assert.equal(one.prefix, "shop-pr-4:");
    await redis(one.url, async (ask) => {
      assert.equal(await ask("SET", "shop-pr-4:cart", "1"), "OK");
      assert.equal(await ask("PUBLISH", "shop-pr-4:news", "x"), 0);
      await ask("EVAL", "return redis.call('GET', KEYS[1])", "1", "shop-pr-4:cart");
      for (const refused of [
        ["GET", "shop-pr-42:cart"],
        ["SET", "cart", "1"],
        ["PUBLISH", "shop-pr-42:news", "x"],
        ["EVAL", "return redis.call('GET', 'shop-pr-42:cart')", "0"],
        ["KEYS", "*"],
        ["SCAN", "0"],
        ["RANDOMKEY"],
        ["FLUSHALL"],
        ["CONFIG", "GET", "*"],
        ["ACL", "WHOAMI"],
        ["CLIENT", "LIST"],
        ["CLIENT", "TRACKING", "ON", "BCAST"],
        ["SCRIPT", "FLUSH"],
        ["FUNCTION", "LIST"],
        ["MONITOR"],
      ]) {
        await assert.rejects(ask(...refused), /NOPERM|can't access at least one of the keys/, refused.join(" "));
      }
      // What clients ask first.
      await ask("INFO");
      await ask("CLIENT", "SETNAME", "shop");
    });
    for (const stack of ["shop-pr-4", "shop-pr-42"]) await redisPart.revoke(options, stack);
  });

  it("tells what its application connects to", async () => {
    const { addresses } = await redisPart.grant(options, grantee("shop-pr-3"));
    assert.deepEqual(addresses, [new URL(server.url).host]);
    await redisPart.revoke(options, "shop-pr-3");
  });

  it("ends an earlier login when it is made anew", async () => {
    const before = await granted(options, grantee("shop-pr-5", "first"));
    const now = await granted(options, grantee("shop-pr-5", "second"));
    await assert.rejects(
      redis(before.url ?? "", (ask) => ask("PING")),
      /WRONGPASS/,
    );
    assert.equal(await redis(now.url ?? "", (ask) => ask("PING")), "PONG");
    await redisPart.revoke(options, "shop-pr-5");
  });

  it("leaves nothing of it in any database, and touches nothing else", async () => {
    await granted(options, grantee("shop-pr-6"));
    const ours = Array.from({ length: 2_500 }, (_, number) => `shop-pr-6:${number}`);
    await redis(server.url, async (ask) => {
      await ask("SET", "shop-pr-66:cart", "1");
      await ask("MSET", ...ours.flatMap((key) => [key, "1"]));
      await ask("SELECT", "3");
      await ask("SET", "shop-pr-6:cart", "1");
    });
    const found = await redisPart.list(options, "shop-pr-6");
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ["redis user", "redis keys"],
    );
    await redisPart.revoke(options, "shop-pr-6");
    await redisPart.revoke(options, "shop-pr-6");
    assert.deepEqual(await redisPart.list(options, "shop-pr-6"), []);
    assert.equal(await redisPart.holds(options, "shop-pr-6"), false);
    assert.equal(await redis(server.url, (ask) => ask("GET", "shop-pr-66:cart")), "1");
    assert.equal(await redis(server.url, (ask) => ask("DBSIZE")), 1);
  });

  it("cuts off whoever is connected with a login that is taken back", async () => {
    const { url = "" } = await granted(options, grantee("shop-pr-7"));
    await redis(url, async (ask) => {
      await ask("PING");
      await redisPart.revoke(options, "shop-pr-7");
      await assert.rejects(ask("SET", "shop-pr-7:late", "1"));
    });
    assert.deepEqual(await redisPart.list(options, "shop-pr-7"), []);
  });

  it("says so where the server would forget its users", async () => {
    const [kept] = await checkRedis(options);
    assert.equal(kept?.ok, true);
    const forgetful = await startRedis({ keepsUsers: false });
    try {
      process.env[URL_VARIABLE] = forgetful.url;
      const [finding] = await checkRedis(options);
      assert.match(finding?.what ?? "", /forgets its users/);
      await granted(options, grantee("shop-pr-8"));
      assert.ok(await redisPart.holds(options, "shop-pr-8"));
    } finally {
      process.env[URL_VARIABLE] = server.url;
      await forgetful.stop();
    }
  });

  it("tells in words who is away or refuses, with no password in them", async () => {
    const { url = "" } = await granted(options, grantee("shop-pr-9", "hush"));
    const told = async (address: string) => {
      process.env[URL_VARIABLE] = address;
      return redisPart.list(options).then(
        () => "",
        (error: Error) => error.message,
      );
    };
    const words = [await told("redis://x:hush@127.0.0.1:1"), await told(url), await told("http://x:hush@example.com")];
    process.env[URL_VARIABLE] = server.url;
    assert.match(words[0] ?? "", /does not answer/);
    assert.match(words[1] ?? "", /refuses its administrator \(NOPERM\)/);
    assert.match(words[2] ?? "", /not of the form/);
    for (const text of words) assert.doesNotMatch(text, /hush/);
    await redisPart.revoke(options, "shop-pr-9");
  });
});
