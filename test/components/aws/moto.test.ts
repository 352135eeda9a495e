/** What is asked of AWS outside Pulumi, against moto: no containers run there, see steady.test.ts and one-off-task.test.ts for those. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  AuthorizeSecurityGroupEgressCommand,
  CreateSecurityGroupCommand,
  RevokeSecurityGroupEgressCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, type RRType } from "@aws-sdk/client-route-53";
import { CreateScheduleCommand, CreateScheduleGroupCommand, GetScheduleCommand } from "@aws-sdk/client-scheduler";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import {
  CreateServiceCommand as CreateNameCommand,
  CreatePrivateDnsNamespaceCommand,
  ListNamespacesCommand,
  RegisterInstanceCommand,
} from "@aws-sdk/client-servicediscovery";
import { clearName } from "../../../components/aws/claim.ts";
import { type Clients, createClients } from "../../../components/aws/clients.ts";
import { createCostExplorer } from "../../../components/aws/cost-explorer.ts";
import { type EcsOptions, ecsOptions } from "../../../components/aws/ecs-options.ts";
import { readListener } from "../../../components/aws/listener.ts";
import { targetGroupName } from "../../../components/aws/names.ts";
import { clearHost, ownHosts, recordsAt } from "../../../components/aws/records.ts";
import { route53Dns } from "../../../components/dns/route53.ts";
import { awsSecrets } from "../../../components/secrets/aws.ts";
import { ecsService } from "../../../components/service/ecs.ts";
import { startAwsServer } from "../../support/aws-server.ts";
import { type Moto, requiresMoto, startMoto } from "../../support/moto.ts";
import { testAccount } from "./account.ts";

const STACK = "shop-pr-1";
const OTHER = "shop-pr-2";
const POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}]}';

describe("AWS outside Pulumi", await requiresMoto(), () => {
  let moto: Moto;
  let clients: Clients;
  let options: EcsOptions;
  before(async () => {
    moto = await startMoto();
  });
  after(() => moto.stop());
  beforeEach(async () => {
    await moto.reset();
    const account = testAccount(moto.url);
    clients = createClients(account);
    await clients.ecs.send(
      new CreateClusterCommand({ clusterName: "previews", capacityProviders: ["FARGATE", "FARGATE_SPOT"] }),
    );
    await clients.discovery.send(new CreatePrivateDnsNamespaceCommand({ Name: "previews.internal", Vpc: "vpc-1" }));
    const { Namespaces = [] } = await clients.discovery.send(new ListNamespacesCommand({}));
    const namespace = { id: Namespaces[0]?.Id ?? "", name: "previews.internal" };
    options = ecsOptions.parse({
      ...account,
      cluster: "previews",
      subnets: ["subnet-1"],
      securityGroups: ["sg-0123456789abcdef0"],
      namespace,
    });
  });

  async function makeService(
    stack: string,
    name: string,
    tags: Record<string, string> = { "stackling:stack": stack },
  ): Promise<void> {
    const family = `${stack}_${name}`;
    const Tags = Object.entries(tags).map(([key, value]) => ({ key, value }));
    await clients.ecs.send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: "awsvpc",
        requiresCompatibilities: ["FARGATE"],
        cpu: "256",
        memory: "512",
        tags: Tags,
        containerDefinitions: [{ name, image: "example", portMappings: [{ containerPort: 8080 }] }],
      }),
    );
    await clients.ecs.send(
      new CreateServiceCommand({
        cluster: "previews",
        serviceName: family,
        taskDefinition: family,
        desiredCount: 1,
        tags: Tags,
      }),
    );
  }

  async function counts(...names: readonly string[]): Promise<(number | undefined)[]> {
    const { services = [] } = await clients.ecs.send(
      new DescribeServicesCommand({ cluster: "previews", services: [...names] }),
    );
    return services.map(({ desiredCount }) => desiredCount);
  }

  it("puts one preview to sleep and wakes it, and touches no other", async () => {
    await makeService(STACK, "web");
    await makeService(STACK, "api");
    await makeService(OTHER, "web");
    const context = { options, stack: STACK };
    await ecsService.operations.setAwake?.(context, false);
    assert.deepEqual(await counts("shop-pr-1_web", "shop-pr-1_api", "shop-pr-2_web"), [0, 0, 1]);
    assert.equal(await ecsService.operations.isAwake?.(context), false);
    assert.match((await ecsService.operations.explain?.(context)) ?? "", /asleep/);
    assert.equal(await ecsService.operations.address?.(context, "web"), undefined);
    await ecsService.operations.setAwake?.(context, true);
    await ecsService.operations.setAwake?.(context, true);
    assert.deepEqual(await counts("shop-pr-1_web", "shop-pr-1_api"), [1, 1]);
  });

  it("waits on waking until ECS runs what it woke, and no longer than that is wanted", async () => {
    await makeService(STACK, "web");
    const aws = await startAwsServer();
    try {
      aws.elsewhere = moto.url;
      const asked = () => aws.asked.filter((name) => name === "DescribeServices").length;
      const web = { serviceName: "shop-pr-1_web", status: "ACTIVE", desiredCount: 1 };
      const context = { options: { ...options, endpoint: aws.url }, stack: STACK };
      aws.answers = { DescribeServices: () => ({ services: [{ ...web, runningCount: asked() > 2 ? 1 : 0 }] }) };
      await ecsService.operations.setAwake?.(context, true);
      assert.equal(asked(), 3);

      const unwanted = new AbortController();
      aws.answers = {
        DescribeServices: () => {
          unwanted.abort();
          return { services: [{ ...web, runningCount: 0 }] };
        },
      };
      const woken = ecsService.operations.setAwake?.(context, true, unwanted.signal);
      await assert.rejects(woken ?? Promise.resolve(), /waking the preview/);
    } finally {
      await aws.close();
    }
  });

  it("stops schedules while a preview sleeps", async () => {
    await clients.scheduler.send(new CreateScheduleGroupCommand({ Name: STACK }));
    const target = {
      Arn: "arn:aws:ecs:eu-central-1:123456789012:cluster/previews",
      RoleArn: "arn:aws:iam::123456789012:role/r",
    };
    await clients.scheduler.send(
      new CreateScheduleCommand({
        Name: "nightly-0",
        GroupName: STACK,
        ScheduleExpression: "cron(0 3 * * ? *)",
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: target,
      }),
    );
    const state = async () =>
      (await clients.scheduler.send(new GetScheduleCommand({ GroupName: STACK, Name: "nightly-0" }))).State;
    await ecsService.operations.setAwake?.({ options, stack: STACK }, false);
    assert.equal(await state(), "DISABLED");
    await ecsService.operations.setAwake?.({ options, stack: STACK }, true);
    assert.equal(await state(), "ENABLED");
  });

  it("finds a service through Cloud Map, or by its private name where the options say so", async () => {
    await makeService(STACK, "web");
    const { Service } = await clients.discovery.send(
      new CreateNameCommand({
        Name: "web.shop-pr-1",
        NamespaceId: options.namespace.id,
        HealthCheckCustomConfig: { FailureThreshold: 1 },
      }),
    );
    assert.equal(await ecsService.operations.address?.({ options, stack: STACK }, "web"), undefined);
    await clients.discovery.send(
      new RegisterInstanceCommand({
        ServiceId: Service?.Id,
        InstanceId: "one",
        Attributes: { AWS_INSTANCE_IPV4: "10.0.0.7" },
      }),
    );
    assert.equal(await ecsService.operations.address?.({ options, stack: STACK }, "web"), "10.0.0.7:8080");
    const byName = { ...options, discovery: "dns" as const };
    assert.equal(
      await ecsService.operations.address?.({ options: byName, stack: STACK }, "web"),
      "web.shop-pr-1.previews.internal:8080",
    );
    assert.equal(await ecsService.operations.address?.({ options, stack: OTHER }, "web"), undefined);
  });

  async function makeRole(stack: string): Promise<void> {
    const role = { RoleName: `${stack}_task`, Path: `/stackling/${stack}/`, AssumeRolePolicyDocument: POLICY };
    await clients.iam.send(new CreateRoleCommand(role));
    await clients.iam.send(
      new PutRolePolicyCommand({
        RoleName: role.RoleName,
        PolicyName: "preview",
        PolicyDocument: POLICY,
      }),
    );
  }

  it("lists what a stack owns and removes it, twice without harm, and nothing of another's", async () => {
    for (const stack of [STACK, OTHER]) {
      const tags = { "stackling:stack": stack };
      await makeService(stack, "web");
      await makeRole(stack);
      await clients.logs.send(new CreateLogGroupCommand({ logGroupName: `/stackling/${stack}`, tags }));
      await clients.secrets.send(
        new CreateSecretCommand({
          Name: `stackling/${stack}/environment`,
          SecretString: "{}",
          Tags: [{ Key: "stackling:stack", Value: stack }],
        }),
      );
    }
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName: "/somebody/else", tags: { owner: "ada" } }));
    const owned = (await ecsService.operations.owned?.(options, STACK)) ?? [];
    assert.deepEqual(owned.map(({ kind }) => kind).sort(), [
      "ecs service",
      "log group",
      "role",
      "secret",
      "task definition",
    ]);
    assert.equal(owned.length * 2, (await ecsService.operations.owned?.(options))?.length);
    for (const thing of [...owned, ...owned]) await ecsService.operations.remove?.(options, thing);
    assert.deepEqual(await ecsService.operations.owned?.(options, STACK), []);
    assert.equal((await ecsService.operations.owned?.(options, OTHER))?.length, owned.length);
    assert.deepEqual(
      (await awsSecrets.operations.owned?.(options))?.map(({ stack }) => stack),
      [OTHER],
    );
  });

  it("clears a name that an interrupted run left behind, and never one that is somebody else's", async () => {
    const place = { cluster: "previews", namespace: options.namespace.id };
    await makeService(STACK, "web");
    await clearName(clients, { kind: "ecs service", name: "shop-pr-1_web", stack: STACK, place });
    assert.deepEqual(
      await ecsService.operations
        .owned?.(options, STACK)
        .then((found) => found.filter(({ kind }) => kind === "ecs service")),
      [],
    );
    await makeService(STACK, "api", { owner: "ada" });
    const claim = { kind: "ecs service" as const, name: "shop-pr-1_api", stack: STACK, place };
    await assert.rejects(clearName(clients, claim), {
      reason: "NameTaken",
      userMessage: /ecs service "shop-pr-1_api"/,
    });
    assert.deepEqual(await counts("shop-pr-1_api"), [1]);
    for (const kind of ["log group", "secret", "role", "schedule group", "target group", "private name"] as const) {
      await clearName(clients, { kind, name: "nobody-has-it", stack: STACK, place });
    }
    await makeRole(OTHER);
    await assert.rejects(clearName(clients, { kind: "role", name: `${OTHER}_task`, stack: STACK, place }), {
      reason: "NameTaken",
    });
  });

  it("tells the last lines of each service and then what is written", async () => {
    const logGroupName = `/stackling/${STACK}`;
    const at = Date.now() - 60_000;
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName }));
    const write = async (stream: string, ...lines: readonly string[]) => {
      await clients.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: stream }));
      const logEvents = lines.map((message, index) => ({ message, timestamp: at + index }));
      await clients.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: stream, logEvents }));
    };
    await write("web/web/1", "one", "two", "token=abcdefgh12345678");
    await write("api/api/1", "three");
    await write("=done/migrate/0123", "not a service's");
    const controller = new AbortController();
    const read = async (query: { service?: string; tail: number }) => {
      const lines: string[] = [];
      const asked = { ...query, follow: false, signal: controller.signal };
      for await (const { service, text } of ecsService.operations.logs?.({ options, stack: STACK }, asked) ?? [])
        lines.push(`${service}: ${text}`);
      return lines;
    };
    assert.deepEqual((await read({ tail: 2 })).sort(), ["api: three", "web: token=[redacted]", "web: two"]);
    assert.deepEqual(await read({ service: "api", tail: 5 }), ["api: three"]);
    assert.deepEqual(await read({ service: "nobody", tail: 5 }), []);
    const following = ecsService.operations.logs?.(
      { options, stack: STACK },
      { service: "api", tail: 1, follow: true, signal: controller.signal },
    );
    const iterator = following?.[Symbol.asyncIterator]();
    assert.equal((await iterator?.next())?.value.text, "three");
    await clients.logs.send(
      new PutLogEventsCommand({
        logGroupName,
        logStreamName: "api/api/1",
        logEvents: [{ message: "four", timestamp: Date.now() }],
      }),
    );
    assert.equal((await iterator?.next())?.value.text, "four");
    controller.abort();
    assert.equal((await iterator?.next())?.done, true);
  });

  it("says what it finds: who we are, cluster and namespace, or what is wrong with them", async () => {
    const good = (await ecsService.operations.check?.(options)) ?? [];
    assert.deepEqual(
      good.filter(({ ok }) => !ok),
      [],
    );
    assert.match(good[0]?.what ?? "", /signed in at AWS as .* in eu-central-1/);
    const wrong = { ...options, cluster: "nowhere", namespace: { ...options.namespace, name: "other.internal" } };
    const bad = ((await ecsService.operations.check?.(wrong)) ?? []).filter(({ ok }) => !ok);
    assert.equal(bad.length, 2);
    for (const { remedy } of bad) assert.ok(remedy);
    const away = ((await ecsService.operations.check?.({ ...options, endpoint: "http://127.0.0.1:1" })) ?? [])[0];
    assert.equal(away?.ok, false);
    assert.match(away?.what ?? "", /AWS cannot be reached/);
    const unset = {
      ...options,
      credentials: { accessKeyId: { env: "STACKLING_TEST_UNSET" }, secretAccessKey: { env: "STACKLING_TEST_UNSET" } },
    };
    assert.match((await ecsService.operations.check?.(unset))?.[0]?.what ?? "", /"STACKLING_TEST_UNSET" is not set/);
  });

  it("knows whether security groups let out more than what they list, and says by which rule", async () => {
    const { ec2 } = clients;
    const made = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "previews", Description: "previews" }));
    const GroupId = made.GroupId ?? "";
    const there = { ...options, securityGroups: [GroupId] };
    const egressOf = async () =>
      ((await ecsService.operations.check?.(there)) ?? []).find(({ what }) => what.includes("security groups"));
    assert.equal(await ecsService.enforcesEgress?.(there), false);
    assert.match(
      (await egressOf())?.what ?? "",
      new RegExp(`egress advisory: anything is let out, of ${GroupId} by sgr-`),
    );
    const anything = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
    await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: anything }));
    const database = { IpProtocol: "tcp", FromPort: 5432, ToPort: 5432, IpRanges: [{ CidrIp: "10.0.8.0/24" }] };
    const resolver = { IpProtocol: "udp", FromPort: 53, ToPort: 53, IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
    await ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: [database, resolver] }));
    assert.equal(await ecsService.enforcesEgress?.(there), true);
    assert.equal((await egressOf())?.ok, true);
    assert.equal(await ecsService.enforcesEgress?.({ ...there, endpoint: "http://127.0.0.1:1" }), false);
  });

  describe("a shared load balancer", () => {
    let listener: string;
    let network: { readonly vpc: string; readonly subnets: string[] };
    beforeEach(async () => {
      network = await firstNetwork();
      const { LoadBalancers = [] } = await clients.loadBalancers.send(
        new CreateLoadBalancerCommand({ Name: "previews", Subnets: network.subnets }),
      );
      const made = await clients.loadBalancers.send(
        new CreateListenerCommand({
          LoadBalancerArn: LoadBalancers[0]?.LoadBalancerArn,
          Protocol: "HTTP",
          Port: 80,
          DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }],
        }),
      );
      listener = made.Listeners?.[0]?.ListenerArn ?? "";
    });

    /** The network that every account begins with, with two subnets; the client of EC2 is no part of the project. */
    async function firstNetwork(): Promise<typeof network> {
      const headers = { Authorization: "AWS4-HMAC-SHA256 Credential=AKIDTEST/20200101/eu-central-1/ec2/aws4_request" };
      const body = new URLSearchParams({ Action: "DescribeSubnets", Version: "2016-11-15" });
      const text = await (await fetch(moto.url, { method: "POST", headers, body })).text();
      const subnets = [...text.matchAll(/<subnetId>([^<]+)/g)].map(([, id = ""]) => id).slice(0, 2);
      return { vpc: /<vpcId>([^<]+)/.exec(text)?.[1] ?? "", subnets };
    }

    async function addRule(name: string, host: string, priority: number): Promise<void> {
      const { TargetGroups = [] } = await clients.loadBalancers.send(
        new CreateTargetGroupCommand({
          Name: name,
          Protocol: "HTTP",
          Port: 8080,
          VpcId: network.vpc,
          TargetType: "ip",
        }),
      );
      const TargetGroupArn = TargetGroups[0]?.TargetGroupArn;
      await clients.loadBalancers.send(
        new CreateRuleCommand({
          ListenerArn: listener,
          Priority: priority,
          Conditions: [{ Field: "host-header", HostHeaderConfig: { Values: [host] } }],
          Actions: [{ Type: "forward", TargetGroupArn }],
        }),
      );
    }

    const rules = [{ service: "web", host: "pr-1-shop.example.dev" }];
    const read = (maximum: number) => readListener(clients, { listener, maximum, stack: STACK, rules });

    it("gives its public name and a priority that stays once there is a rule", async () => {
      const { edge, priorities } = await read(100);
      assert.match(edge, /^previews-.*\.elb\.amazonaws\.com$/);
      await addRule(targetGroupName(STACK, "web"), "pr-1-shop.example.dev", priorities.web ?? 0);
      assert.deepEqual((await read(100)).priorities, priorities);
    });

    it("has room for so many and says when it is full, but never to a preview that is on it", async () => {
      await addRule("somebody", "other.example.dev", 5);
      await assert.rejects(read(1), { reason: "QuotaExceeded", userMessage: /it has 1 of 1/ });
      await addRule(targetGroupName(STACK, "web"), "pr-1-shop.example.dev", 7);
      assert.deepEqual((await read(1)).priorities, { web: 7 });
    });

    it("keeps a host that somebody else's rule has", async () => {
      await addRule("production", "pr-1-shop.example.dev", 5);
      await assert.rejects(read(100), { reason: "NameTaken", userMessage: /"pr-1-shop.example.dev"/ });
    });
  });

  describe("a hosted zone", () => {
    let zoneId: string;
    beforeEach(async () => {
      const { HostedZone } = await clients.dns.send(
        new CreateHostedZoneCommand({ Name: "preview.example.dev", CallerReference: "1" }),
      );
      zoneId = HostedZone?.Id?.replace("/hostedzone/", "") ?? "";
    });

    async function put(Name: string, Type: RRType, value: string): Promise<void> {
      const ResourceRecordSet = { Name, Type, TTL: 60, ResourceRecords: [{ Value: value }] };
      await clients.dns.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: zoneId,
          ChangeBatch: { Changes: [{ Action: "CREATE", ResourceRecordSet }] },
        }),
      );
    }
    const host = (number: number) => `pr-${number}-shop.preview.example.dev`;
    const mark = (number: number, stack: string) =>
      put(`_stackling.${host(number)}`, "TXT", `"heritage=stackling,stack=${stack}"`);
    const at = async (number: number) => (await recordsAt(clients.dns, zoneId, host(number))).length;

    it("holds our records and others': only ours are listed and removed", async () => {
      await mark(1, STACK);
      await put(host(1), "CNAME", "gateway.example.dev");
      await mark(2, OTHER);
      await put(host(2), "CNAME", "gateway.example.dev");
      await put("www.preview.example.dev", "CNAME", "example.dev");
      await put("_dmarc.preview.example.dev", "TXT", '"heritage=stackling,stack=shop-pr-1"');
      const dns = { ...testAccount(moto.url), zoneId, mode: "records" as const, ttlSeconds: 60 };
      const owned = (await route53Dns.operations.owned?.(dns, STACK)) ?? [];
      assert.deepEqual(owned, [{ kind: "dns record", id: host(1), stack: STACK }]);
      assert.equal((await ownHosts(clients.dns, zoneId)).length, 2);
      assert.deepEqual(await route53Dns.operations.owned?.({ ...dns, domain: "elsewhere.dev" }, STACK), []);
      for (const thing of [...owned, ...owned]) await route53Dns.operations.remove?.(dns, thing);
      assert.deepEqual([await at(1), await at(2)], [0, 1]);
      await route53Dns.operations.remove?.(dns, { kind: "dns record", id: "www.preview.example.dev", stack: STACK });
      assert.equal((await recordsAt(clients.dns, zoneId, "www.preview.example.dev")).length, 1);
      assert.equal(
        (await route53Dns.operations.check?.(dns))?.every(({ ok }) => ok),
        true,
      );
      assert.equal(
        (await route53Dns.operations.check?.({ ...dns, mode: "wildcard", domain: "preview.example.dev" }))?.every(
          ({ ok }) => ok,
        ),
        false,
      );
    });

    it("never loses a record that is not ours to a preview of the same host", async () => {
      const claim = { host: host(1), stack: STACK };
      await put(host(1), "CNAME", "production.example.dev");
      await assert.rejects(clearHost(clients.dns, zoneId, claim), { reason: "NameTaken" });
      await mark(1, OTHER);
      await assert.rejects(clearHost(clients.dns, zoneId, claim), { reason: "NameTaken" });
      assert.equal(await at(1), 1);
    });

    it("makes room where an interrupted run of the same preview left its records", async () => {
      await mark(1, STACK);
      await put(host(1), "CNAME", "gateway.example.dev");
      await clearHost(clients.dns, zoneId, { host: host(1), stack: STACK });
      assert.equal(await at(1), 0);
      assert.deepEqual(await ownHosts(clients.dns, zoneId), []);
      await clearHost(clients.dns, zoneId, { host: host(1), stack: STACK });
    });
  });

  it("reads the bill that Cost Explorer gives", async () => {
    const group = (Keys: readonly string[], Amount: string) => ({
      Keys,
      Metrics: { UnblendedCost: { Amount, Unit: "USD" }, UsageQuantity: { Amount: "2", Unit: "hours" } },
    });
    const ResultsByTime = [
      {
        TimePeriod: { Start: "2026-11-20", End: "2026-11-21" },
        Groups: [group([`stackling:stack$${STACK}`, "EUC1-Fargate-vCPU-Hours:perCPU"], "0.0931")],
      },
    ];
    await fetch(`${moto.url}/moto-api/static/ce/cost-and-usage-results`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ results: [{ ResultsByTime }] }),
    });
    const { region: _anywhere, ...account } = testAccount(moto.url);
    const explorer = createCostExplorer(account, { spend: async () => {} });
    assert.deepEqual(await explorer.costs({ from: "2026-11-20", to: "2026-11-20" }), [
      {
        ...{ stack: STACK, day: "2026-11-20", meter: "cpu", unit: "vCPU-hours" },
        ...{ quantity: 2, cost: 0.0931, currency: "USD" },
      },
    ]);
  });
});
