import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import { parseImage } from "../../../service/images/reference.ts";
import { createRegistry, type RegistryCredentials } from "../../../service/images/registry.ts";
import { type RegistryWish, startRegistry, type TestRegistry } from "../../support/registry.ts";

const ADA = { username: "ada", password: "s3cret" };

let registry: TestRegistry;
afterEach(() => registry.close());

describe("reading an image at its registry", () => {
  const table: readonly [string, RegistryWish, RegistryCredentials | undefined, "found" | "denied"][] = [
    ["finds it without any authentication", {}, undefined, "found"],
    ["finds it with a name and a password", { auth: "basic", user: ADA }, ADA, "found"],
    ["is denied without a password", { auth: "basic", user: ADA }, undefined, "denied"],
    ["is denied with a wrong one", { auth: "basic", user: ADA }, { ...ADA, password: "no" }, "denied"],
    ["finds it with a token that anybody gets", { auth: "token" }, undefined, "found"],
    ["finds it with a token for a password", { auth: "token", user: ADA }, ADA, "found"],
    ["is denied where only a password gets a token", { auth: "token", user: ADA }, undefined, "denied"],
  ];
  for (const [outcome, wish, credentials, kind] of table) {
    it(outcome, async () => {
      registry = await startRegistry(wish);
      const digest = registry.push("acme/shop", "1");
      const read = await look("acme/shop:1", { credentials });
      assert.deepEqual(read, kind === "found" ? { kind, digest } : { kind });
    });
  }

  it("says missing for a tag and for a repository that is not there", async () => {
    registry = await startRegistry();
    registry.push("acme/shop", "1");
    assert.deepEqual(await look("acme/shop:2"), { kind: "missing" });
    assert.deepEqual(await look("acme/cart:1"), { kind: "missing" });
  });

  it("sends no password before it is asked for one", async () => {
    registry = await startRegistry({ auth: "token", user: ADA });
    registry.push("acme/shop", "1");
    await look("acme/shop:1", { credentials: ADA });
    const sent = registry.headers.map(({ authorization }) => authorization?.split(" ")[0]);
    assert.deepEqual(sent, [undefined, "Basic", "Bearer"]);
  });

  it("hashes the manifest itself where HEAD is refused or tells no digest", async () => {
    registry = await startRegistry();
    const digest = registry.push("acme/shop", "1");
    for (const status of [405, 200]) {
      registry.instead = ({ method }, response) => {
        if (method !== "HEAD") return false;
        response.writeHead(status).end();
        return true;
      };
      assert.deepEqual(await look("acme/shop:1"), { kind: "found", digest });
    }
  });

  it("follows a redirect without taking the password along to another host", async () => {
    registry = await startRegistry();
    const digest = registry.push("acme/shop", "1");
    const front = await startRegistry({ auth: "basic", user: ADA });
    try {
      front.instead = ({ url, headers }, response) => {
        if (!headers.authorization) return false;
        response.writeHead(307, { Location: `http://${registry.host}${url}` }).end();
        return true;
      };
      assert.deepEqual(await look("acme/shop:1", { credentials: ADA, host: front.host }), { kind: "found", digest });
      assert.deepEqual(
        registry.headers.map(({ authorization }) => authorization),
        [undefined],
      );
    } finally {
      await front.close();
    }
  });

  it("says when to ask again where the registry tells", async () => {
    registry = await startRegistry();
    const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toUTCString();
    for (const [headers, retryAfterSeconds] of [
      [{ "Retry-After": "77" }, 77],
      [{ "Retry-After": at(90), Date: at(0) }, 90],
    ] as const) {
      registry.instead = (_request, response) => {
        response.writeHead(429, headers).end();
        return true;
      };
      const message = `"${registry.host}" answered 429`;
      assert.deepEqual(await look("acme/shop:1"), { kind: "unavailable", message, retryAfterSeconds });
    }
  });

  it("says unavailable, never missing, when the registry fails, lies, hangs or is away", async () => {
    registry = await startRegistry({ auth: "token" });
    const answers: readonly [RegExp, TestRegistry["instead"]][] = [
      [/answered 503/, (_request, response) => Boolean(response.writeHead(503).end())],
      [/did not answer within 0.2 s/, () => true],
      [/cannot be reached/, ({ socket }) => Boolean(socket.destroy())],
      [/redirects without end/, (_request, response) => Boolean(response.writeHead(302, { Location: "/x" }).end())],
      [
        /must be https/,
        (_request, response) => Boolean(response.writeHead(302, { Location: "http://images.example/x" }).end()),
      ],
      [
        /must be https/,
        (_request, response) => {
          response.setHeader("WWW-Authenticate", 'Bearer realm="http://tokens.example/"');
          return Boolean(response.writeHead(401).end());
        },
      ],
      [/gave no token/, ({ url }, response) => Boolean(url?.startsWith("/token") && response.writeHead(200).end("{}"))],
      [
        /answered 500 where it was asked for a token/,
        ({ url }, response) => Boolean(url?.startsWith("/token") && response.writeHead(500).end()),
      ],
    ];
    for (const [message, instead] of answers) {
      registry.instead = instead;
      const read = await look("acme/shop:1", { timeoutMs: 200 });
      assert.equal(read.kind, "unavailable", String(message));
      assert.match("message" in read ? read.message : "", message);
    }
  });

  it("checks the credentials for a host", async () => {
    for (const auth of ["basic", "token"] as const) {
      if (auth === "token") await registry.close();
      registry = await startRegistry({ auth, user: ADA });
      const checks = [ADA, { ...ADA, password: "no" }].map((credentials) =>
        createRegistry({ credentials: async () => credentials }).check(registry.host),
      );
      const [right, wrong] = await Promise.all(checks);
      assert.deepEqual([right?.ok, wrong?.ok], [true, false], auth);
      assert.match(wrong?.what ?? "", /refuses its credentials/);
      assert.match(wrong?.remedy ?? "", /images\.credentials/);
    }
    await registry.close();
    const away = await createRegistry({ credentials: async () => ADA }).check(registry.host);
    assert.equal(away.ok, false);
    assert.match(away.what, /^registry "127\.0\.0\.1:\d+": .* cannot be reached/);
    registry = await startRegistry();
  });

  it("says which secret is missing instead of going on without it", async () => {
    registry = await startRegistry({ auth: "basic", user: ADA });
    const image = parseImage(`${registry.host}/acme/shop:1`);
    assert.ok(image);
    const missing = createRegistry({
      credentials: async () => {
        throw new TerminalError({ reason: "SecretMissing", userMessage: 'variable "REGISTRY" is not set' });
      },
    });
    assert.deepEqual(await missing.read(image), { kind: "unavailable", message: 'variable "REGISTRY" is not set' });
  });
});

interface LookWish {
  readonly credentials?: RegistryCredentials | undefined;
  readonly host?: string;
  readonly timeoutMs?: number;
}

async function look(name: string, { credentials, host = registry.host, timeoutMs = 5_000 }: LookWish = {}) {
  const image = parseImage(`${host}/${name}`);
  assert.ok(image);
  const given = async (asked: string) => (asked === host ? credentials : undefined);
  return createRegistry({ credentials: given, timeoutMs }).read(image);
}
