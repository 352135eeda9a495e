/** A user and a prefix per preview on a Redis or Valkey of many. */
import type { BackingDriver } from "../ports.ts";
import { checkRedis, type RedisOptions, redisKinds, redisOptions, redisPart } from "../redis/part.ts";
import { backingDriver } from "./declare.ts";

export const redisBacking: BackingDriver<RedisOptions> = backingDriver({
  kind: "redis",
  type: "stackling:backing:Redis",
  options: redisOptions,
  part: redisPart,
  kinds: redisKinds,
  gives: ["url", "host", "port", "username", "password", "prefix"],
  placedBy: ["url"],
  check: checkRedis,
  example: () => ({ options: { url: { env: "STACKLING_TEST_REDIS_URL" }, allow: [] }, generation: 0 }),
});
