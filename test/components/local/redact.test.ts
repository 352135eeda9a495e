import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { networkEnvironment } from "../../../components/local/environment.ts";
import { redact } from "../../../components/local/redact.ts";
import { resolveSubmodule } from "../../../components/local/submodules.ts";

describe("redacting", () => {
  for (const [text, expected] of [
    ["postgres://role:pw@host:5432/db", "postgres://[redacted]@host:5432/db"],
    ["https://token@github.com/x", "https://[redacted]@github.com/x"],
    ["PASSWORD=hunter2 next", "PASSWORD=[redacted] next"],
    ['{"apiKey": "abc def", "b": 1}', '{"apiKey": [redacted], "b": 1}'],
    ["CREATE ROLE x PASSWORD 'it''s me' LOGIN", "CREATE ROLE x PASSWORD '[redacted]' LOGIN"],
    ["Authorization: Bearer abcdefgh12345678", "Authorization: Bearer [redacted]"],
    ["ghp_0123456789abcdefghij", "[redacted]"],
    ["id-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl", "id-[redacted]"],
    ["my-db_password: hunter2", "my-db_password: [redacted]"],
    ["git+ssh://git:pw@host/x", "git+ssh://[redacted]@host/x"],
    ["nothing to hide: 12 tokens were read", "nothing to hide: 12 tokens were read"],
  ] as const) {
    it(`turns ${JSON.stringify(text)} into ${JSON.stringify(expected)}`, () => assert.equal(redact(text), expected));
  }

  for (const part of ["a-", "a", "a+", "_-", "eyJaaaaaaaa-", "ghp_", "token ", "basic ", "password '"]) {
    it(`takes no longer for what is made to be slow: ${JSON.stringify(part)}, over and over`, () => {
      const line = part.repeat(Math.ceil(1_000_000 / part.length));
      assert.match(redact(`${line} PASSWORD=hunter2`), /\[redacted\]/);
    });
  }

  it("takes out known values whatever surrounds them, the longest first", () => {
    assert.equal(
      redact("xsecret-valuex secret-value-two", ["secret-value", "secret-value-two"]),
      "x[redacted]x [redacted]",
    );
  });

  it("takes out known values as programs write them", () => {
    const value = `sk_"live"/42+x=&<y> é`;
    const forms = [
      `redis://:${encodeURIComponent(value)}@host`,
      JSON.stringify({ value }),
      `?${new URLSearchParams({ value })}`,
      Buffer.from(value).toString("base64"),
      Buffer.from(value).toString("base64url"),
      "sk_&quot;live&quot;/42+x=&amp;&lt;y&gt; é",
    ];
    for (const text of forms) assert.match(redact(text, [value]), /^[\w:/{"?=@]*\[redacted\][\w@"}=]*$/, text);
  });
});

describe("the operator's network environment", () => {
  it("is handed on, but for values with a credential", () => {
    const ambient = { HTTPS_PROXY: "http://proxy:3128", http_proxy: "http://me:pw@proxy", AWS_SECRET_ACCESS_KEY: "x" };
    assert.deepEqual(networkEnvironment(ambient), { HTTPS_PROXY: "http://proxy:3128" });
  });
});

describe("a submodule's address", () => {
  for (const [parent, url, expected] of [
    ["https://github.com/acme/shop.git", "../lib.git", "https://github.com/acme/lib.git"],
    ["https://github.com/acme/shop.git", "https://github.com/other/lib", "https://github.com/other/lib"],
    ["/srv/git/shop", "../lib", "/srv/git/lib"],
    ["/srv/git/shop", "/srv/git/lib", "/srv/git/lib"],
  ] as const) {
    it(`of "${parent}" may be "${url}"`, () => assert.equal(resolveSubmodule(parent, url), expected));
  }
  for (const [parent, url] of [
    ["https://github.com/acme/shop.git", "file:///etc"],
    ["https://github.com/acme/shop.git", "/var/lib/stackling/mirrors"],
    ["https://github.com/acme/shop.git", "https://evil.example/steal"],
    ["https://github.com/acme/shop.git", "ext::sh -c id"],
    ["/srv/git/shop", "ext::sh -c id"],
    ["/srv/git/shop", "https://evil.example/x"],
  ] as const) {
    it(`of "${parent}" may not be "${url}"`, () =>
      assert.throws(() => resolveSubmodule(parent, url), { reason: "CheckoutFailed" }));
  }
});
