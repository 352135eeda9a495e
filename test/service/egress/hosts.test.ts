import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fits, parseHostRule, readDestination } from "../../../service/egress/hosts.ts";

const rule = (text: string, addresses = false) => parseHostRule(text, { addresses });
const allowed = (typed: string, authority: string, addresses = false) => {
  const parsed = rule(typed, addresses);
  assert.ok(parsed, `"${typed}" is a rule`);
  const wanted = readDestination(authority);
  return wanted !== undefined && fits(parsed, wanted);
};

describe("hosts that previews may call", () => {
  it("lets the named host through on HTTP's ports", () => {
    assert.equal(allowed("api.stripe.com", "api.stripe.com:443"), true);
    assert.equal(allowed("api.stripe.com", "api.stripe.com:80"), true);
    assert.equal(allowed("api.stripe.com", "api.stripe.com:8443"), false);
    assert.equal(allowed("search.acme.dev:9243", "search.acme.dev:9243"), true);
    assert.equal(allowed("search.acme.dev:9243", "search.acme.dev:443"), false);
  });

  it("takes one name in whatever way it is spelled", () => {
    for (const spelled of ["API.Stripe.Com:443", "api.stripe.com.:443"]) {
      assert.equal(allowed("api.stripe.com", spelled), true, spelled);
    }
    assert.equal(allowed("API.STRIPE.COM.", "api.stripe.com:443"), true);
    assert.equal(allowed("bücher.example", "xn--bcher-kva.example:443"), true);
  });

  it("takes a star for whatever lies below, and for nothing else", () => {
    assert.equal(allowed("*.slack.com", "hooks.slack.com:443"), true);
    assert.equal(allowed("*.slack.com", "a.b.slack.com:443"), true);
    for (const other of ["slack.com", "evilslack.com", "hooks.slack.com.evil.example", "slack.com.evil.example"]) {
      assert.equal(allowed("*.slack.com", `${other}:443`), false, other);
    }
  });

  it("refuses rules that would let through more than a name", () => {
    for (const typed of ["*", "*.com", "*.co.uk", "*.github.io", "a.*.com", "*slack.com", "**.slack.com", "", "."]) {
      assert.equal(rule(typed), undefined, typed);
    }
    for (const typed of ["https://api.stripe.com", "api.stripe.com/v1", "me@api.stripe.com", "a b.com", "a.com:0"]) {
      assert.equal(rule(typed), undefined, typed);
    }
    assert.equal(rule("a.com:65536"), undefined);
  });

  it("takes addresses from the operator only", () => {
    for (const typed of ["10.0.0.5", "10.0.0.5:8080", "[fd00::1]:443", "*.10.0.0.5"]) {
      assert.equal(rule(typed), undefined, typed);
    }
    assert.equal(allowed("10.0.0.5:8080", "10.0.0.5:8080", true), true);
    assert.equal(allowed("[fd00:0::1]:443", "[FD00::1]:443", true), true);
    assert.equal(rule("*.10.0.0.5", true), undefined);
  });

  it("reads nothing that two programs could read differently", () => {
    const tricks = [
      "api.stripe.com@evil.example:443",
      "evil.example:443@api.stripe.com",
      "api.stripe.com:443:80",
      "api.stripe.com:",
      "api.stripe.com:99999",
      "api.stripe.com:0",
      "api.stripe.com:+443",
      "api.stripe.com#.evil.example:443",
      "api.stripe.com\u0000.evil.example:443",
      "api.stripe.com%00.evil.example:443",
      "api.stripe.com\r\n:443",
      " api.stripe.com:443",
      "apı.stripe.com:443",
      "api。stripe。com:443",
      "api..stripe.com:443",
      "api.stripe.com..:443",
      "-api.stripe.com:443",
      ".api.stripe.com:443",
      "[api.stripe.com]:443",
      "[::1%eth0]:443",
      "::1:443",
      "2130706433:80",
      "0x7f000001:80",
      "127.1:80",
      "0177.0.0.1:80",
      "evil.0x7f:80",
      `${"a".repeat(64)}.com:443`,
      `${"a.".repeat(130)}com:443`,
      "",
    ];
    for (const trick of tricks) assert.equal(readDestination(trick), undefined, JSON.stringify(trick));
  });

  it("takes no name for an address, nor an address for a name", () => {
    assert.equal(allowed("api.stripe.com", "127.0.0.1:443"), false);
    assert.equal(allowed("*.stripe.com", "[::ffff:127.0.0.1]:443"), false);
    assert.deepEqual(readDestination("[0:0:0:0:0:FFFF:7F00:1]:80"), { host: "::ffff:7f00:1", port: 80 });
  });
});
