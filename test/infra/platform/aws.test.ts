import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { Provider } from "@pulumi/aws/provider.js";
import { secret } from "@pulumi/pulumi";
import { stacklingPolicy } from "../../../components/aws/policy.ts";
import { AwsPlatform, type AwsPlatformArgs, fill } from "../../../infra/platform/aws.ts";
import { type Graph, graphOf } from "./graph.ts";

const SECRET = "1b47061264138c4ac30d75fd1eb44270";

const wish: AwsPlatformArgs = {
  image: "registry.acme.dev/stackling:0.1.0",
  domain: "preview.acme.dev",
  replicas: 2,
  configuration: "url: https://preview.acme.dev\nbackend: ${platform.stateUrl}\n",
  secrets: secret({ STORE_URL: "postgres://a:hush@db/store", API_TOKEN: "hush-too" }),
  secretNames: ["API_TOKEN", "STORE_URL"],
  region: "eu-central-1",
  taskPolicies: [],
  vpcId: "vpc-1",
  publicSubnetIds: ["subnet-a", "subnet-b"],
  privateSubnetIds: ["subnet-c"],
  zoneId: "Z1",
  allowedCidrs: ["0.0.0.0/0"],
  cpu: 1024,
  memoryMiB: 2048,
  logRetentionDays: 30,
  previewNamespace: "previews.internal",
  budget: { monthlyUsd: 500, emails: ["ops@acme.dev"] },
  costTags: true,
};

const install = (change: Partial<AwsPlatformArgs> = {}): Promise<Graph> =>
  graphOf(
    () => {
      const provider = new Provider("account", { region: "eu-central-1" });
      new AwsPlatform("stackling", { ...wish, ...change }, { provider });
    },
    {
      "aws:s3/bucket:Bucket": { bucket: "state-bucket" },
      "aws:acm/certificate:Certificate": {
        domainValidationOptions: [
          {
            domainName: "preview.acme.dev",
            resourceRecordName: "_x.preview.acme.dev",
            resourceRecordType: "CNAME",
            resourceRecordValue: "_y.acm",
          },
        ],
      },
      "aws:secretsmanager/secretVersion:SecretVersion": { versionId: "version-1" },
      "aws:lb/loadBalancer:LoadBalancer": { dnsName: "lb.example", zoneId: "ZLB" },
    },
  );

interface Container {
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly readonlyRootFilesystem: boolean;
  readonly user: string;
}

const containerOf = (graph: Graph): Container =>
  JSON.parse(String(graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs.containerDefinitions))[0];

describe("what previews on AWS are let out to", () => {
  const RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
  const outOf = (graph: Graph) =>
    graph
      .of(RULE)
      .filter(({ name }) => name.startsWith("stackling-preview-out"))
      .map(
        ({ name, inputs: { securityGroupId: _group, tags: _tags, tagsAll: _all, ...rule } }) => [name, rule] as const,
      )
      .sort(([one], [other]) => one.localeCompare(other));

  it("is anything, where the operator says nothing", async () => {
    assert.deepEqual(outOf(await install()), [["stackling-preview-out", { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" }]]);
  });

  it("is each other and what the operator lists, and nothing else", async () => {
    const graph = await install({
      previewEgress: [
        { to: "10.0.8.0/24", port: 5432 },
        { to: "sg-0proxy", port: 3128 },
        { to: "pl-0s3", port: 443 },
        { to: "fd00::/64", port: 443 },
      ],
    });
    const tcp = (port: number) => ({ ipProtocol: "tcp", fromPort: port, toPort: port });
    assert.deepEqual(outOf(graph), [
      ["stackling-preview-out-10-0-8-0-24-5432", { ...tcp(5432), cidrIpv4: "10.0.8.0/24" }],
      ["stackling-preview-out-fd00-64-443", { ...tcp(443), cidrIpv6: "fd00::/64" }],
      ["stackling-preview-out-pl-0s3-443", { ...tcp(443), prefixListId: "pl-0s3" }],
      ["stackling-preview-out-preview", { ipProtocol: "-1", referencedSecurityGroupId: "stackling-preview-group-id" }],
      ["stackling-preview-out-sg-0proxy-3128", { ...tcp(3128), referencedSecurityGroupId: "sg-0proxy" }],
    ]);
  });
});

describe("the platform on AWS", () => {
  let graph: Graph;
  before(async () => {
    graph = await install();
  });

  it("keeps the state in a bucket that is private, encrypted, versioned and not lost by accident", () => {
    const bucket = { bucket: "state-bucket" };
    assert.deepEqual(graph.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs, {
      ...bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    assert.deepEqual(graph.one("aws:s3/bucketVersioning:BucketVersioning").inputs, {
      ...bucket,
      versioningConfiguration: { status: "Enabled" },
    });
    const encryption = graph.one("stackling-state-encryption");
    assert.match(JSON.stringify(encryption.inputs), /"sseAlgorithm":"AES256"/);
    assert.equal(graph.of("aws:s3/bucketAcl:BucketAcl").length, 0);
    const policy = JSON.parse(String(graph.one("aws:s3/bucketPolicy:BucketPolicy").inputs.policy));
    assert.deepEqual(
      policy.Statement.map(({ Effect }: { Effect: string }) => Effect),
      ["Deny"],
    );
  });

  it("makes no database, and gives no task a public address", () => {
    assert.deepEqual(
      graph.all.filter(({ type }) => /^aws:rds/.test(type)),
      [],
    );
    const service = graph.one("aws:ecs/service:Service");
    assert.equal(Object(service.inputs.networkConfiguration).assignPublicIp, false);
    assert.deepEqual(Object(service.inputs.networkConfiguration).subnets, ["subnet-c"]);
  });

  it("lets visitors reach the load balancer only, that the service, and the service the previews", () => {
    const rules = graph.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").map(({ inputs }) => inputs);
    const open = rules.filter(({ cidrIpv4 }) => cidrIpv4 !== undefined);
    assert.deepEqual(
      open.map(({ securityGroupId, fromPort }) => [securityGroupId, fromPort]),
      [
        ["stackling-balancer-group-id", 80],
        ["stackling-balancer-group-id", 443],
      ],
    );
    const inner = rules.filter(({ cidrIpv4 }) => cidrIpv4 === undefined);
    assert.deepEqual(
      inner
        .map((rule) => `${rule.referencedSecurityGroupId} to ${rule.securityGroupId} port ${rule.fromPort ?? "any"}`)
        .sort(),
      [
        "stackling-balancer-group-id to stackling-preview-group-id port any",
        "stackling-balancer-group-id to stackling-service-group-id port 4000",
        "stackling-preview-group-id to stackling-preview-group-id port any",
        "stackling-service-group-id to stackling-preview-group-id port any",
      ],
    );
  });

  it("serves HTTPS with a certificate of the domain and all names below it, proved in the zone", () => {
    const { domainName, subjectAlternativeNames, validationMethod } = graph.one(
      "aws:acm/certificate:Certificate",
    ).inputs;
    assert.deepEqual(
      [domainName, subjectAlternativeNames, validationMethod],
      ["preview.acme.dev", ["*.preview.acme.dev"], "DNS"],
    );
    const proof = graph.one("stackling-certificate-proof").inputs;
    assert.deepEqual([proof.zoneId, proof.name, proof.records], ["Z1", "_x.preview.acme.dev", ["_y.acm"]]);
    assert.match(String(graph.one("stackling-listener").inputs.sslPolicy), /TLS13/);
    const redirect = JSON.stringify(graph.one("stackling-redirect").inputs.defaultActions);
    assert.match(redirect, /"statusCode":"HTTP_301"/);
    const names = graph.of("aws:route53/record:Record").filter(({ inputs }) => inputs.type === "A");
    assert.deepEqual(
      names.map(({ inputs }) => inputs.name),
      ["preview.acme.dev", "*.preview.acme.dev"],
    );
  });

  it("tells the container its configuration with the made names filled in", () => {
    const [configuration] = containerOf(graph).environment;
    assert.equal(
      configuration?.value,
      "url: https://preview.acme.dev\nbackend: s3://state-bucket?region=eu-central-1\n",
    );
  });

  it("refuses a configuration that names what is not made, and says what there is", () => {
    assert.throws(
      () => fill("cluster: ${platform.clutser}", { cluster: "c", url: "u" }),
      /"\$\{platform\.clutser\}" is none of cluster, url/,
    );
  });

  it("passes secrets by reference, in the version that a new value changes", () => {
    const { secrets } = containerOf(graph);
    assert.deepEqual(
      secrets.map(({ name }) => name),
      ["API_TOKEN", "STORE_URL"],
    );
    assert.match(secrets[0]?.valueFrom ?? "", /:stackling-secrets:API_TOKEN::version-1$/);
    const version = graph.one("aws:secretsmanager/secretVersion:SecretVersion").inputs;
    assert.ok(JSON.stringify(version.secretString).includes(SECRET), "marked as a secret");
    const elsewhere = graph.all.filter(
      ({ name, inputs }) => name !== "stackling-secrets-version" && JSON.stringify(inputs).includes("hush"),
    );
    assert.deepEqual(elsewhere, []);
  });

  it("runs as a user without capabilities on a root that it cannot write", () => {
    const { readonlyRootFilesystem, user } = containerOf(graph);
    assert.equal(readonlyRootFilesystem, true);
    assert.equal(user, "1000:1000");
  });

  it("gives the service the rights of the drivers and of its bucket, and its start the rights of its secret", () => {
    const rights = graph.one("aws:iam/policy:Policy").inputs;
    const expected = stacklingPolicy({
      accountId: "123456789012",
      region: "eu-central-1",
      cluster: "stackling",
      hostedZoneId: "Z1",
      listenerArn: "arn:aws:mock:eu-central-1:123456789012:stackling-listener",
    });
    assert.deepEqual(JSON.parse(String(rights.policy)), JSON.parse(JSON.stringify(expected)));
    assert.ok(String(rights.policy).length <= 6_144, "the size of a managed policy: IAM docs, quotas");
    const attached = graph.one("aws:iam/rolePolicyAttachment:RolePolicyAttachment").inputs;
    assert.equal(attached.role, "stackling-role");
    const state = JSON.parse(String(graph.one("stackling-role-state").inputs.policy)).Statement;
    const bill = state.filter(({ Action }: { Action: string[] }) => Action.every((action) => action.startsWith("ce:")));
    assert.deepEqual(bill[0]?.Action, ["ce:GetCostAndUsage", "ce:ListCostAllocationTags"]);
    for (const one of state) if (one !== bill[0]) assert.match(String(one.Resource), /stackling-state/);
    const start = JSON.parse(String(graph.one("stackling-execution-policy").inputs.policy)).Statement;
    const wide = start.filter(({ Resource }: { Resource: string[] }) => Resource.includes("*"));
    assert.ok(wide.every(({ Action }: { Action: string[] }) => Action.every((action) => action.startsWith("ecr:"))));
  });

  it("rolls back a deployment that does not come up", () => {
    const { deploymentCircuitBreaker, desiredCount } = graph.one("aws:ecs/service:Service").inputs;
    assert.deepEqual(deploymentCircuitBreaker, { enable: true, rollback: true });
    assert.equal(desiredCount, 2);
  });

  it("tells of spent money, and activates the tags of the bill where asked", async () => {
    const { limitAmount, notifications } = graph.one("aws:budgets/budget:Budget").inputs;
    assert.equal(limitAmount, "500");
    assert.equal((notifications as unknown[]).length, 4);
    const tags = graph.of("aws:costexplorer/costAllocationTag:CostAllocationTag").map(({ inputs }) => inputs.tagKey);
    assert.ok(tags.includes("stackling:preview"));
    // By this one Stackling reads the bill.
    assert.ok(tags.includes("stackling:stack"));
    const quiet = await install({ budget: undefined, costTags: false });
    assert.equal(quiet.of("aws:budgets/budget:Budget").length, 0);
    assert.equal(quiet.of("aws:costexplorer/costAllocationTag:CostAllocationTag").length, 0);
    assert.doesNotMatch(String(quiet.one("stackling-role-state").inputs.policy), /ce:/);
  });

  it("asks the given account for everything, under the platform's tag", () => {
    for (const { name, type, provider } of graph.all) {
      if (!type.startsWith("aws:")) continue;
      assert.match(provider, /::account::/, name);
      assert.match(name, /^stackling-/);
    }
    const tags = JSON.parse(String(graph.one("pulumi:providers:aws").inputs.defaultTags));
    assert.match(JSON.stringify(tags), /"stackling:platform":"prod"/);
    assert.doesNotMatch(JSON.stringify(tags), /stackling:(stack|preview)/);
  });
});
