/** What the drivers `route53` and `aws` declare on Pulumi's mocks. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSecret, type Output, output, runtime, secret } from "@pulumi/pulumi";
import { Route53Dns, route53Dns } from "../../../components/dns/route53.ts";
import { AwsSecrets, awsSecrets } from "../../../components/secrets/aws.ts";

interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

async function declare<T>(build: () => T, look: (made: T) => Promise<void>): Promise<Declared[]> {
  const all: Declared[] = [];
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs, custom }) => {
      if (custom) all.push({ type, name, inputs });
      return {
        id: name,
        state: { ...inputs, arn: `arn:aws:secretsmanager:x:1:secret:${name}`, versionId: "v1", value: "made" },
      };
    },
  });
  try {
    await look(build());
    await runtime.disconnect();
    return all.filter(({ type }) => type.startsWith("aws:"));
  } finally {
    await runtime.disconnect();
  }
}

describe("records at Route 53", () => {
  const host = "pr-1-shop.preview.example.dev";
  const route = { host, service: "web", address: "10.0.0.7:8080" };

  function records(change: object, edge?: string): Promise<Declared[]> {
    const { options } = route53Dns.example();
    const routes = [{ ...route, ...(edge !== undefined && { edge: output(edge) }) }];
    const args = { stack: "shop-pr-1", tags: {}, options: { ...options, ...change }, routes };
    return declare(
      () => new Route53Dns("routes", args),
      async (dns) => assert.deepEqual(await resolved(dns.hosts), [host]),
    );
  }

  it("are one per host with a mark beside it, and never overwrite", async () => {
    const common = { zoneId: "Z0123456789ABC", ttl: 60, allowOverwrite: false };
    assert.deepEqual(
      (await records({})).map(({ name, inputs }) => [name, inputs]),
      [
        [
          "routes-web-owner",
          { ...common, name: `_stackling.${host}`, type: "TXT", records: ["heritage=stackling,stack=shop-pr-1"] },
        ],
        ["routes-web", { ...common, name: host, type: "CNAME", records: ["gateway.example.dev"] }],
      ],
    );
  });

  it("lead to the edge of the service where it is one, by address where it is an address", async () => {
    const of = async (edge: string) => (await records({}, edge))[1]?.inputs;
    assert.partialDeepStrictEqual(await of("previews-1.elb.amazonaws.com."), {
      type: "CNAME",
      records: ["previews-1.elb.amazonaws.com"],
    });
    assert.partialDeepStrictEqual(await of("192.0.2.7"), { type: "A", records: ["192.0.2.7"] });
    assert.partialDeepStrictEqual(await of("2001:db8::7"), { type: "AAAA", records: ["2001:db8::7"] });
  });

  it("are none in wildcard mode", async () => assert.deepEqual(await records({ mode: "wildcard" }), []));

  it("are refused where they would lead nowhere", () => {
    const choice = (driver: string, options = {}) => ({ driver, options });
    const target = {
      service: choice("ecs", { edge: "gateway" }),
      dns: choice("route53", { mode: "records" }),
      secrets: choice("local"),
    };
    assert.match(route53Dns.refuses?.(target) ?? "", /need a "target"/);
    assert.equal(route53Dns.refuses?.({ ...target, service: choice("ecs", { edge: { direct: {} } }) }), undefined);
  });
});

describe("secrets in Secrets Manager", () => {
  it("are one per name, gone at once when the preview goes, with the version in their reference", async () => {
    const secrets = [
      { name: "SESSION_KEY", generation: 0 },
      { name: "STRIPE_KEY", generation: 0, value: secret("sk_test") },
    ];
    const args = { stack: "shop-pr-1", tags: {}, options: awsSecrets.example().options, secrets };
    const all = await declare(
      () => new AwsSecrets("secrets", args),
      async (made) => {
        assert.equal(await isSecret(made.values), true);
        assert.deepEqual(await resolved(made.values), { SESSION_KEY: "made", STRIPE_KEY: "sk_test" });
        const { STRIPE_KEY: reference } = made.references;
        assert.ok(reference?.kind === "aws");
        assert.equal(
          await resolved(output(reference.arn)),
          "arn:aws:secretsmanager:x:1:secret:secrets-stripe-key:::v1",
        );
      },
    );
    const names = all.filter(({ type }) => type.endsWith(":Secret")).map(({ inputs }) => inputs);
    assert.deepEqual(names, [
      { name: "stackling/shop-pr-1/secrets/SESSION_KEY", recoveryWindowInDays: 0 },
      { name: "stackling/shop-pr-1/secrets/STRIPE_KEY", recoveryWindowInDays: 0 },
    ]);
    for (const { type, inputs } of all.filter((one) => one.type.endsWith(":SecretVersion"))) {
      assert.notEqual(typeof inputs.secretString, "string", `${type} holds its value in plain`);
    }
  });
});

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
