/** A preview's part of a Redis or Valkey server: an ACL user that reaches the keys and channels of one prefix. */
import { createHash } from "node:crypto";
import { createClient, ErrorReply } from "@redis/client";
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { StacklingError } from "../errors.ts";
import { type BackingKind, loginOf, stackOfLogin } from "../local/backing-kind.ts";
import type { Finding } from "../operations.ts";

export const redisOptions = z.strictObject({
  url: credential.describe(
    "Where the server's URL is, with a user that may administer users: `rediss://admin:password@host:6380`.",
  ),
  allow: z
    .array(
      z
        .string()
        .regex(/^[a-z][a-z|]{0,40}$/, "must be a command such as `scan`, or one with a subcommand: `pubsub|channels`"),
    )
    .default([])
    .describe("Commands that previews may use though they tell of other previews' keys, such as `scan`."),
});

export type RedisOptions = z.infer<typeof redisOptions>;

const CONNECT_WITHIN_MS = 5_000;
const SCANNED_AT_ONCE = 1_000;

/**
 * What acts on the server or on everybody's keys is denied, whatever an application's library would like: Redis
 * documentation, "ACL", command categories. `INFO` is what clients ask whether a server is ready.
 */
const RIGHTS = [
  "+@all",
  "-@admin",
  "-@dangerous",
  "-acl",
  "-scan",
  "-randomkey",
  "-dbsize",
  "-pubsub",
  // Whoever asks it to broadcast is told every key that anybody changes.
  "-client|tracking",
  "-function",
  "-script|flush",
  "-script|kill",
  "+info",
];

export const redisPart: BackingKind<RedisOptions> = {
  async grant(options, { stack, password }) {
    const url = await urlOf(options);
    await connected(url, `giving "${stack}" its part of Redis`, async (ask) => {
      // The hash, so that the password stands in no slow log and no MONITOR.
      const hash = `#${createHash("sha256").update(password).digest("hex")}`;
      const prefix = prefixOf(stack);
      await ask(
        "ACL",
        "SETUSER",
        loginOf(stack),
        "reset",
        "on",
        hash,
        `~${prefix}*`,
        `&${prefix}*`,
        ...rights(options),
      );
      await saveUsers(ask);
    });
    const values = valuesOf(url, stack, password);
    return { values, addresses: [`${values.host}:${values.port}`] };
  },

  holds: async (options, stack) =>
    connected(await urlOf(options), `looking for the part of "${stack}"`, async (ask) =>
      z
        .array(z.string())
        .parse(await ask("ACL", "USERS"))
        .includes(loginOf(stack)),
    ),

  async revoke(options, stack) {
    await connected(await urlOf(options), `taking the part of "${stack}" back`, async (ask) => {
      // Its connections end with it, so that nothing is written behind the keys' removal.
      await ask("ACL", "DELUSER", loginOf(stack));
      await saveUsers(ask);
      for await (const keys of keysOf(ask, stack)) await ask("UNLINK", ...keys);
    });
  },

  list: async (options, stack) =>
    connected(await urlOf(options), "listing previews' parts of Redis", async (ask) => {
      const users = z.array(z.string()).parse(await ask("ACL", "USERS"));
      const logins = users.flatMap((id) => {
        const owner = stackOfLogin(id);
        return owner === undefined || (stack !== undefined && owner !== stack)
          ? []
          : [{ kind: "redis user", id, stack: owner }];
      });
      if (stack === undefined) return logins;
      for await (const _some of keysOf(ask, stack)) {
        return [...logins, { kind: "redis keys", id: `${prefixOf(stack)}*`, stack }];
      }
      return logins;
    }),
};

export const redisKinds = ["redis user", "redis keys"];

export async function checkRedis(options: RedisOptions): Promise<readonly Finding[]> {
  const url = await urlOf(options);
  const what = `Redis at ${new URL(url).host}`;
  return connected(url, `asking ${what}`, async (ask) => {
    await ask("ACL", "USERS");
    if (await saveUsers(ask)) return [{ ok: true, what: `${what} answers, and keeps its users` }];
    const remedy = "give the server an `aclfile`; until then drift repair makes them again";
    return [{ ok: false, what: `${what} forgets its users when it starts again: it has no \`aclfile\``, remedy }];
  });
}

function valuesOf(url: string, stack: string, password: string) {
  const address = new URL(url);
  address.username = loginOf(stack);
  address.password = password;
  return {
    url: address.href,
    host: address.hostname,
    port: address.port || "6379",
    username: loginOf(stack),
    password,
    prefix: prefixOf(stack),
  };
}

/** No name of a stack holds a colon, so that none is the start of another. */
function prefixOf(stack: string): string {
  return `${stack}:`;
}

function rights({ allow }: RedisOptions): readonly string[] {
  return [...RIGHTS, ...allow.map((command) => `+${command}`)];
}

async function urlOf({ url }: RedisOptions): Promise<string> {
  const text = await readCredential(url, "the URL of the Redis server");
  if (URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol)) return text;
  throw new StacklingError({
    reason: "TargetInvalid",
    userMessage: "reaching Redis: its URL is not of the form redis://user:password@host:6379",
  });
}

type Ask = (...args: string[]) => Promise<unknown>;

/** True when the server wrote its users down; one without a file for them keeps them in memory alone. */
async function saveUsers(ask: Ask): Promise<boolean> {
  try {
    await ask("ACL", "SAVE");
    return true;
  } catch (error) {
    if (error instanceof ErrorReply && /not configured to use an ACL file/i.test(error.message)) return false;
    throw error;
  }
}

/** In every database that has any, for a user of the server may choose among them. */
async function* keysOf(ask: Ask, stack: string): AsyncGenerator<string[]> {
  const keyspace = z.string().parse(await ask("INFO", "keyspace"));
  for (const [, database = "0"] of keyspace.matchAll(/^db(\d+):/gm)) {
    await ask("SELECT", database);
    let cursor = "0";
    do {
      const answer = await ask("SCAN", cursor, "MATCH", `${prefixOf(stack)}*`, "COUNT", String(SCANNED_AT_ONCE));
      const [next, keys] = z.tuple([z.string(), z.array(z.string())]).parse(answer);
      if (keys.length > 0) yield keys;
      cursor = next;
    } while (cursor !== "0");
  }
}

async function connected<T>(url: string, action: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = createClient({ url, socket: { connectTimeout: CONNECT_WITHIN_MS, reconnectStrategy: false } });
  // Told by the rejection of what waits for it.
  client.on("error", () => {});
  try {
    await client.connect();
    return await work((...args) => client.sendCommand(args));
  } catch (error) {
    throw inWords(error, action);
  } finally {
    client.destroy();
  }
}

function inWords(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || error instanceof StacklingError || error instanceof z.ZodError) return error;
  const forbidden = /^(NOPERM|NOAUTH|WRONGPASS)/.exec(error.message)?.[1];
  if (forbidden) {
    const userMessage = `${action}: Redis refuses its administrator (${forbidden}); the user in the URL needs +@admin and all keys`;
    return new StacklingError({ reason: "TargetForbidden", userMessage, cause: error });
  }
  if (error instanceof ErrorReply) {
    return new StacklingError({
      reason: "TargetInvalid",
      userMessage: `${action}: Redis says ${error.message}`,
      cause: error,
    });
  }
  return new StacklingError({
    reason: "TargetUnreachable",
    userMessage: `${action}: Redis does not answer`,
    cause: error,
  });
}
