import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientAddress, networks } from "../../../../service/gateway/access/address.ts";
import { accessFindings } from "../../../../service/gateway/access/findings.ts";
import { allowedCookies, cookieName, ownPathOf } from "../../../../service/gateway/access/own-paths.ts";

const from = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as Parameters<typeof clientAddress>[0];

describe("addresses", () => {
  it("are found in networks of both families, however they are written", () => {
    const listed = networks(["10.0.0.0/8", "203.0.113.7", "2001:db8::/32"]);
    for (const address of ["10.255.0.1", "::ffff:10.0.0.1", "203.0.113.7", "2001:db8:1::5", "2001:DB8::1%eth0"]) {
      assert.equal(listed(address), true, address);
    }
    for (const address of ["11.0.0.1", "203.0.113.70", "2001:db9::1", "", "10", "localhost"]) {
      assert.equal(listed(address), false, address);
    }
  });

  it("are those of the connection, unless a trusted proxy says otherwise", () => {
    const trusts = networks(["10.0.0.0/8"]);
    assert.equal(clientAddress(from("203.0.113.7", "1.1.1.1"), trusts), "203.0.113.7");
    assert.equal(clientAddress(from("10.0.0.1", "1.1.1.1, 2.2.2.2, 10.0.0.9"), trusts), "2.2.2.2");
    assert.equal(clientAddress(from("::ffff:10.0.0.1", "2.2.2.2"), trusts), "2.2.2.2");
    assert.equal(clientAddress(from("10.0.0.1"), trusts), "10.0.0.1");
    assert.equal(clientAddress(from("10.0.0.1", "10.0.0.2"), trusts), "10.0.0.2");
    assert.equal(clientAddress(from("10.0.0.1", "2.2.2.2, unknown"), trusts), "");
  });
});

describe("what is ours of a request", () => {
  it("is a few addresses and no others", () => {
    assert.equal(ownPathOf("/.stackling/door"), "door");
    assert.equal(ownPathOf("/.stackling/share/x?to=/"), "share");
    for (const url of [
      undefined,
      "/",
      "/stackling/door",
      "/.stackling/doors",
      "/.well-known/x",
      "/x/.stackling/door",
    ]) {
      assert.equal(ownPathOf(url), undefined, url);
    }
  });

  it("is a cookie that an application may not set, nor may it set one for other hosts", () => {
    const ours = [
      "stackling-door-4000=x",
      "__Host-stackling-door=; Max-Age=0",
      " stackling-bypass=x",
      "__Host-stackling=x",
    ];
    assert.deepEqual(allowedCookies(ours), []);
    assert.deepEqual(allowedCookies(["a=domain=x; Domain=acme.dev;Secure", "b=1;domain", "c=1; Domains=x"]), [
      "a=domain=x;Secure",
      "b=1",
      "c=1; Domains=x",
    ]);
    assert.equal(cookieName("door", "https", "preview.acme.dev"), "__Host-stackling-door");
  });
});

describe("what doctor says of doors", () => {
  const shop = { name: "shop", forge: "local", path: "/shop", target: "local", branches: [], secrets: {}, tags: {} };
  const target = { name: "local", service: { driver: "local", options: {} }, dns: { driver: "gateway", options: {} } };
  const targets = [{ ...target, secrets: { driver: "local", options: {} }, runs: "source" as const }];

  it("is nothing on this machine's own names", () => {
    assert.deepEqual(accessFindings({ domain: "localhost:4000", repositories: [shop], targets }), []);
  });

  it("is that nobody has said who may come in, until somebody does", () => {
    const said = { domain: "preview.acme.dev", repositories: [shop], targets };
    assert.match(accessFindings(said).find(({ ok }) => !ok)?.what ?? "", /previews of "shop"/);
    assert.ok(accessFindings({ ...said, access: { kind: "public" } }).every(({ ok }) => ok));
    const own = { ...said, repositories: [{ ...shop, access: { kind: "public" } as const }] };
    assert.ok(accessFindings(own).every(({ ok }) => ok));
    const direct = { ...targets[0], service: { driver: "kubernetes", options: { edge: { direct: {} } } } };
    assert.ok(
      accessFindings({ ...said, targets: [{ ...targets[0], ...direct } as (typeof targets)[0]] }).every(({ ok }) => ok),
    );
  });

  it("is that dashboard and previews are one site, unless each preview is a site by itself", () => {
    const access = { kind: "public" } as const;
    const said = (domain: string) =>
      accessFindings({ domain, access, repositories: [], targets }).map(({ what }) => what);
    assert.match(said("preview.acme.co.uk")[0] ?? "", /"acme\.co\.uk"/);
    assert.deepEqual(said("github.io"), []);
  });
});
