import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Output, runtime } from "@pulumi/pulumi";
import { cloudflareDns } from "../../../components/dns/cloudflare.ts";
import { decodeFromEngine, StacklingError } from "../../../components/errors.ts";
import type { DnsArgs } from "../../../components/ports.ts";
import { tagged } from "../../../infra/tags.ts";
import { CLOUDFLARE_TOKEN, type CloudflareServer, startCloudflareServer } from "../../support/cloudflare-server.ts";

type Options = ReturnType<typeof cloudflareDns.example>["options"];

process.env.STACKLING_TEST_CLOUDFLARE = CLOUDFLARE_TOKEN;
process.env.STACKLING_TEST_CLOUDFLARE_WRONG = "another-token";

let server: CloudflareServer;
before(async () => {
  server = await startCloudflareServer();
});
after(() => server.close());
beforeEach(() => {
  server.records.length = 0;
  server.failures.length = 0;
});

const route = { host: "pr-1-shop.preview.acme.dev:8443", service: "web", address: "10.0.0.7:3000" };

function optionsOf(more: Partial<Options> = {}): Options {
  return {
    ...cloudflareDns.example().options,
    apiToken: { env: "STACKLING_TEST_CLOUDFLARE" },
    zone: "acme.dev",
    domain: "preview.acme.dev",
    apiUrl: server.url,
    ...more,
  };
}

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly provider: string;
}

/** The component on Pulumi's mocks, with the tags of a run. */
async function declare(options: Options, routes: DnsArgs["routes"] = [route]) {
  const registered: Registered[] = [];
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs, provider = "" }) => {
      registered.push({ type, name, inputs, provider });
      return { id: `${name}-id`, state: inputs };
    },
  });
  const component = new cloudflareDns.component("routes", { stack: "shop-pr-1", tags: {}, options, routes });
  const hosts = await resolved(component.hosts);
  await runtime.disconnect();
  const record = registered.find(({ type }) => type === "cloudflare:index/dnsRecord:DnsRecord");
  return { hosts, registered, record };
}

describe("records at Cloudflare", () => {
  it("lead each host, without its port, to the gateway, and say whose they are", async () => {
    const { hosts, record, registered } = await declare(optionsOf());
    assert.deepEqual(hosts, [route.host]);
    assert.equal(record?.name, "routes-web");
    assert.deepEqual(record?.inputs, {
      zoneId: server.zoneId,
      name: "pr-1-shop.preview.acme.dev",
      type: "CNAME",
      content: "gateway.example.dev",
      proxied: false,
      ttl: 60,
    });
    const resource = { custom: true, type: record?.type ?? "", name: "", props: {}, opts: {} };
    const tags = { stack: "shop-pr-1", preview: "shop#1" };
    assert.deepEqual(tagged(resource, tags)?.props, { comment: "stackling:shop-pr-1 preview=shop#1" });
    const provider = registered.find(({ type }) => type === "pulumi:providers:cloudflare");
    assert.equal(provider?.name, "routes-provider");
    assert.match(record?.provider ?? "", /pulumi:providers:cloudflare::routes-provider/);
  });

  const contents = [
    ["192.0.2.7", "A", "192.0.2.7"],
    ["2001:db8::7", "AAAA", "2001:db8::7"],
    ["lb.acme.dev.", "CNAME", "lb.acme.dev"],
  ] as const;
  for (const [target, type, content] of contents) {
    it(`are of type ${type} for ${target}`, async () => {
      const { record } = await declare(optionsOf({ target }));
      assert.partialDeepStrictEqual(record?.inputs, { type, content });
    });
  }

  it("lead to a service's own edge where it has one", async () => {
    const { record } = await declare(optionsOf(), [{ ...route, edge: "192.0.2.9" }]);
    assert.partialDeepStrictEqual(record?.inputs, { type: "A", content: "192.0.2.9" });
  });

  it("have the only lifetime that proxied ones may have", async () => {
    const { record } = await declare(optionsOf({ proxied: true, ttl: 3600 }));
    assert.partialDeepStrictEqual(record?.inputs, { proxied: true, ttl: 1 });
  });

  it("are the same after a new commit", async () => {
    const first = await declare(optionsOf());
    const second = await declare(optionsOf(), [{ ...route, address: "10.0.0.8:3000" }]);
    assert.deepEqual(second.registered, first.registered);
  });

  it("are not made in wildcard mode, nor is Cloudflare asked", async () => {
    const calls = server.calls.length;
    const { hosts, registered } = await declare(optionsOf({ mode: "wildcard" }));
    assert.deepEqual(hosts, [route.host]);
    assert.ok(registered.every(({ type }) => type.startsWith("stackling:dns:")));
    assert.equal(server.calls.length, calls);
  });

  it("leave the token out of the provider's inputs", async () => {
    const { registered } = await declare(optionsOf());
    const provider = registered.find(({ type }) => type === "pulumi:providers:cloudflare");
    assert.deepEqual(provider?.inputs, { baseUrl: server.url });
  });

  it("keep a file's token a secret where no service hands it to engines", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stackling-token-"));
    const file = join(folder, "token");
    await writeFile(file, CLOUDFLARE_TOKEN);
    const { registered } = await declare(optionsOf({ apiToken: { file } }));
    await rm(folder, { recursive: true });
    const provider = registered.find(({ type }) => type === "pulumi:providers:cloudflare");
    assert.equal(runtime.isRpcSecret(provider?.inputs.apiToken), true);
  });

  it("need to lead somewhere", () => {
    const { target: _none, ...options } = optionsOf();
    const dns = { driver: "cloudflare", options };
    const secrets = { driver: "local", options: {} };
    const refused = (edge?: unknown) =>
      cloudflareDns.refuses?.({ dns, secrets, service: { driver: "kubernetes", options: { edge } } });
    assert.match(refused() ?? "", /need a "target"/);
    assert.match(refused("gateway") ?? "", /need a "target"/);
    assert.equal(refused({ direct: {} }), undefined);
  });
});

describe("before a record is created", () => {
  const create = async () => {
    const { clearName } = await import("../../../components/cloudflare/records.ts");
    const settings = { zone: "acme.dev", token: CLOUDFLARE_TOKEN, baseUrl: server.url };
    await clearName(settings, "pr-1-shop.preview.acme.dev", "shop-pr-1");
  };
  const there = (comment: string | null, type = "CNAME") =>
    server.records.push({ id: "there", name: "pr-1-shop.preview.acme.dev", type, content: "x.dev", comment });

  for (const comment of [
    null,
    "by hand",
    "stackling:",
    "xstackling:shop-pr-1",
    "stackling:shop-pr-11",
    "stackling:shop-pr-2 a=b",
  ]) {
    it(`refuses a name that somebody else has (${comment})`, async () => {
      there(comment);
      await assert.rejects(create(), {
        name: "TerminalError",
        reason: "NameTaken",
        message: /"pr-1-shop\.preview\.acme\.dev".*CNAME/,
      });
      assert.equal(server.records.length, 1);
    });
  }

  it("removes what a killed create of this stack left", async () => {
    there("stackling:shop-pr-1 preview=shop#1");
    await create();
    assert.deepEqual(server.records, []);
  });

  it("leaves a text record of the same name alone", async () => {
    there("by hand", "TXT");
    await create();
    assert.equal(server.records.length, 1);
  });
});

describe("Cloudflare's operations", () => {
  const mark = (id: string, stack: string, name = `${id}.preview.acme.dev`) => ({
    id,
    name,
    type: "CNAME",
    content: "gateway.acme.dev",
    comment: `stackling:${stack} owner=ada`,
  });
  const { operations } = cloudflareDns;

  beforeEach(() => {
    server.records.push(
      mark("a", "shop-pr-1"),
      mark("b", "shop-pr-11"),
      mark("c", "shop-pr-1"),
      mark("d", "shop-pr-1", "d.staging.acme.dev"),
      { ...mark("e", "x"), comment: "stackling forever" },
      { ...mark("f", "x"), comment: "STACKLING:shop-pr-1" },
    );
  });

  it("list what bears a stack's mark below the domain, over all pages", async () => {
    const owned = await operations.owned?.(optionsOf(), "shop-pr-1");
    assert.deepEqual(owned, [
      { kind: "dns record", id: "a.preview.acme.dev", stack: "shop-pr-1" },
      { kind: "dns record", id: "c.preview.acme.dev", stack: "shop-pr-1" },
    ]);
    const all = await operations.owned?.(optionsOf());
    assert.deepEqual(
      all?.map(({ stack }) => stack),
      ["shop-pr-1", "shop-pr-11", "shop-pr-1"],
    );
  });

  it("remove one of them, twice, and nobody else's", async () => {
    const thing = { kind: "dns record", id: "a.preview.acme.dev", stack: "shop-pr-1" };
    await operations.remove?.(optionsOf(), thing);
    await operations.remove?.(optionsOf(), thing);
    await operations.remove?.(optionsOf(), { ...thing, id: "e.preview.acme.dev" });
    assert.deepEqual(
      server.records.map(({ id }) => id),
      ["b", "c", "d", "e", "f"],
    );
  });

  it("wait as long as Cloudflare asks before they ask again", async () => {
    server.failures.push(
      { status: 429, headers: { "retry-after": "0" } },
      { status: 502, headers: { "retry-after": "0" } },
    );
    assert.equal((await operations.owned?.(optionsOf(), "shop-pr-11"))?.length, 1);
    assert.deepEqual(server.failures, []);
  });

  it("say so when Cloudflare asks for more patience than there is", async () => {
    server.failures.push({ status: 429, headers: { "retry-after": "300" } });
    const failing = operations.owned?.(optionsOf({ zone: server.zoneId }));
    await assert.rejects(failing ?? Promise.resolve(), {
      reason: "TargetUnreachable",
      message: /come back after 300 s/,
    });
  });

  it("never show the token", async () => {
    const options = optionsOf({ apiToken: { env: "STACKLING_TEST_CLOUDFLARE_WRONG" } });
    await assert.rejects(operations.owned?.(options) ?? Promise.resolve(), (error) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "TargetForbidden");
      assert.match(error.message, /Authentication error with Bearer \[secret\]/);
      return true;
    });
  });

  const checks: readonly (readonly [string, () => Partial<Options>, boolean, RegExp])[] = [
    ["finds a zone that is there", () => ({}), true, /zone "acme.dev" is reached/],
    ["misses a zone", () => ({ zone: "acme.org" }), false, /no such zone/],
    ["misses a zone by id", () => ({ zone: "0".repeat(32) }), false, /no such zone/],
    ["misses a token", () => ({ apiToken: { env: "STACKLING_TEST_NOTHING" } }), false, /"STACKLING_TEST_NOTHING"/],
    [
      "finds a wrong token",
      () => ({ apiToken: { env: "STACKLING_TEST_CLOUDFLARE_WRONG" } }),
      false,
      /refuses the API token/,
    ],
    ["finds nobody there", () => ({ apiUrl: "http://127.0.0.1:1" }), false, /does not answer/],
    ["misses the wildcard's record", () => ({ mode: "wildcard" }), false, /no record "\*\.preview\.acme\.dev"/],
  ];
  for (const [outcome, more, ok, words] of checks) {
    it(`check: ${outcome}`, async () => {
      const findings = (await operations.check?.(optionsOf(more()))) ?? [];
      assert.equal(
        findings.every((finding) => finding.ok),
        ok,
      );
      assert.match(findings.map(({ what }) => what).join("\n"), words);
      for (const finding of findings) assert.ok(finding.ok || finding.remedy);
    });
  }

  it("check: finds the wildcard's record", async () => {
    server.records.push({ ...mark("w", "x", "*.preview.acme.dev"), comment: null });
    const findings = (await operations.check?.(optionsOf({ mode: "wildcard" }))) ?? [];
    assert.deepEqual(
      findings.map(({ ok }) => ok),
      [true, true],
    );
  });
});

describe("a missing token", () => {
  it("reaches the engine as a failure with its reason", async () => {
    const { toldToEngine } = await import("../../../components/errors.ts");
    const { readCredential } = await import("../../../components/credential.ts");
    const failing = toldToEngine(() => readCredential({ file: "/nowhere/token" }, "Cloudflare's API token"));
    const message = await failing.catch((error: Error) => error.message);
    assert.equal(decodeFromEngine(message)?.reason, "SecretMissing");
  });
});

function resolved<T>(output: Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
