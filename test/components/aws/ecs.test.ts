import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { output, secret } from "@pulumi/pulumi";
import { execa } from "execa";
import { refuseEcs } from "../../../components/aws/refusals.ts";
import { decodeFromEngine } from "../../../components/errors.ts";
import { type AwsServer, startAwsServer } from "../../support/aws-server.ts";
import { aService, atCommit, containersOf, type Declared, declare, image, STACK, withDatabase } from "./declared.ts";

/** What the health image has of nc: `-w SECONDS HOST PORT`, input to the server and its answer back. */
const NETCAT = `#!${process.execPath}
const [host, port] = process.argv.slice(-2);
const socket = require("node:net").connect(Number(port), host);
process.stdin.pipe(socket).pipe(process.stdout);
`;
const GATE = { name: "gate", command: "npm run e2e", directory: ".", image: image("a"), generation: 1 } as const;

describe("a preview on ECS", () => {
  let aws: AwsServer;
  before(async () => {
    aws = await startAwsServer();
  });
  after(() => aws.close());
  beforeEach(() => {
    aws.answers = {};
  });

  it("is a service on spot in the shared cluster, behind a private name, whose count is nobody's wish", async () => {
    const { one, addresses, addressesAreSecret, edge } = await declare(aws);
    const { inputs, opts } = one("ecs/service:Service", "service-web");
    assert.partialDeepStrictEqual(inputs, {
      name: "shop-pr-1_web",
      cluster: "previews",
      capacityProviderStrategies: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      networkConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"], assignPublicIp: false },
      deploymentCircuitBreaker: { enable: true, rollback: true },
      deploymentMinimumHealthyPercent: 100,
      propagateTags: "SERVICE",
      waitForSteadyState: false,
    });
    assert.deepEqual(opts.ignoreChanges, ["desiredCount"]);
    assert.deepEqual(addresses, { web: "web.shop-pr-1.previews.internal:8080" });
    assert.equal(addressesAreSecret, false);
    assert.equal(edge, undefined);
  });

  it("writes the flag definitions into a file before anything of the service begins", async () => {
    const { one } = await declare(aws, { flags: "{}\n" });
    const definition = one("TaskDefinition", "service-web");
    assert.deepEqual(definition.inputs.volumes, [{ name: "flags" }]);
    const { web, "web-flags": writer } = containersOf(definition);
    const mount = { sourceVolume: "flags", containerPath: "/etc/stackling/flags" };
    assert.partialDeepStrictEqual(writer, {
      essential: false,
      command: ['printf %s "$FLAGS" > /etc/stackling/flags/flags.json'],
      environment: [{ name: "FLAGS", value: "{}\n" }],
      mountPoints: [{ ...mount, readOnly: false }],
    });
    assert.deepEqual(web?.mountPoints, [{ ...mount, readOnly: true }]);
    assert.deepEqual(web?.dependsOn, [{ containerName: "web-flags", condition: "SUCCESS" }]);
    const path = web?.environment.find(({ name }) => name === "FLAGD_OFFLINE_FLAG_SOURCE_PATH");
    assert.equal(path?.value, "/etc/stackling/flags/flags.json");
    assert.equal((await declare(aws)).one("TaskDefinition", "service-web").inputs.volumes, undefined);
  });

  it("tells every container of the operator's proxy, and not to ask it for the task's own credentials", async () => {
    const { one } = await declare(aws, {}, { proxy: "http://egress.internal:3128" });
    const { web } = containersOf(one("TaskDefinition", "service-web"));
    const values = Object.fromEntries((web?.environment ?? []).map(({ name, value }) => [name, value]));
    assert.equal(values.HTTPS_PROXY, "http://egress.internal:3128");
    assert.equal(values.NODE_USE_ENV_PROXY, "1");
    assert.match(values.NO_PROXY ?? "", /,\.previews\.internal,169\.254\.170\.2$/);
    await assert.rejects(declare(aws, {}, { proxy: "http://me:secret@egress.internal:3128" }), /HTTP proxy/);
  });

  it("tells what Stackling knows as it is: a git branch that is called like a reference stands for none", async () => {
    const environment = { STACKLING_GIT_BRANCH: "${secrets.KEY}", STACKLING_COMMIT: "1", SENTRY_RELEASE: "1" };
    const told = { STACKLING_COMMIT: "2", SENTRY_RELEASE: "2" };
    const { source } = atCommit("2");
    const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key";
    const { one } = await declare(aws, {
      environment,
      sources: { api: { ...source, environment: told } },
      secretReferences: { KEY: { kind: "aws", arn } },
      services: [aService({ source: "api", environment: { SENTRY_RELEASE: "own" } })],
    });
    const { web } = containersOf(one("TaskDefinition", "service-web"));
    const values = Object.fromEntries((web?.environment ?? []).map(({ name, value }) => [name, value]));
    assert.partialDeepStrictEqual(values, {
      STACKLING_GIT_BRANCH: "${secrets.KEY}",
      STACKLING_COMMIT: "2",
      SENTRY_RELEASE: "own",
    });
    assert.deepEqual(web?.secrets, []);
  });

  it("hangs everything below the component, with the explicit provider, which holds no credentials and is where tags go", async () => {
    const { all } = await declare(aws, withDatabase());
    const provider = all.find(({ type }) => type === "pulumi:providers:aws");
    assert.deepEqual(
      Object.keys(provider?.inputs ?? {}).filter((key) => /key|token|profile/i.test(key)),
      [],
    );
    assert.partialDeepStrictEqual(provider?.opts.envVarMappings, {
      STACKLING_TEST_AWS_ID: "AWS_ACCESS_KEY_ID",
      STACKLING_TEST_AWS_SECRET: "AWS_SECRET_ACCESS_KEY",
      STACKLING_NOTHING_1: "AWS_PROFILE",
      STACKLING_NOTHING_5: "AWS_SESSION_TOKEN",
    });
    for (const { type, opts, inputs } of all.filter((one) => one !== provider)) {
      assert.ok(opts.parent, `${type} has no parent`);
      assert.ok(opts.provider, `${type} has no provider`);
      assert.equal(inputs.tags, undefined, `${type} sets tags by hand`);
    }
  });

  it("gives the execution role its own log group, secret and listed repositories, and the task role nothing", async () => {
    const repositories = ["arn:aws:ecr:eu-central-1:123456789012:repository/shop"];
    const { all, one } = await declare(aws, withDatabase(), {
      repositories,
      permissionsBoundary: "arn:aws:iam::1:policy/b",
    });
    const policy = JSON.parse(String(one("RolePolicy", "execution-policy").inputs.policy));
    assert.deepEqual(
      policy.Statement.map(({ Action, Resource }: { Action: string[]; Resource: string[] }) => [Action[0], Resource]),
      [
        ["logs:CreateLogStream", ["arn:aws:cloudwatch:eu-central-1:123456789012:thing:service-log:*"]],
        [
          "secretsmanager:GetSecretValue",
          ["arn:aws:secretsmanager:eu-central-1:123456789012:thing:service-environment"],
        ],
        ["ecr:GetAuthorizationToken", ["*"]],
        ["ecr:BatchCheckLayerAvailability", repositories],
      ],
    );
    assert.equal(all.filter(({ type }) => /RolePolicy/.test(type)).length, 1);
    for (const role of ["execution", "task"]) {
      assert.partialDeepStrictEqual(one("Role", role).inputs, {
        name: `${STACK}_${role}`,
        path: `/stackling/${STACK}/`,
        permissionsBoundary: "arn:aws:iam::1:policy/b",
      });
    }
  });

  it("keeps log lines as long as asked, in a group of its own", async () => {
    const { one } = await declare(aws, {}, { logRetentionDays: 3 });
    assert.partialDeepStrictEqual(one("LogGroup", "log").inputs, { name: `/stackling/${STACK}`, retentionInDays: 3 });
  });

  it("runs a service's containers: command, port, sidecars, and one that asks its health path", async () => {
    const service = aService({
      command: "node server.mjs",
      directory: "it's here",
      port: 3000,
      readOnlyRoot: true,
      sidecars: [
        { name: "redis", image: "redis@sha256:0", port: 6379 },
        { name: "tail", command: "tail -f log" },
      ],
    });
    const { one } = await declare(
      aws,
      { services: [service] },
      {
        registryCredentials: {
          "123456789012.dkr.ecr.eu-central-1.amazonaws.com": "arn:aws:secretsmanager:eu-central-1:1:secret:pull",
        },
      },
    );
    const { web, redis, tail, "web-health": health } = containersOf(one("TaskDefinition", "service-web"));
    assert.deepEqual([web?.entryPoint, web?.command], [["sh", "-c"], ["cd 'it'\\''s here' && node server.mjs"]]);
    assert.deepEqual(web?.portMappings?.[0]?.containerPort, 3000);
    assert.equal(web?.readonlyRootFilesystem, true);
    assert.equal(web?.repositoryCredentials?.credentialsParameter, "arn:aws:secretsmanager:eu-central-1:1:secret:pull");
    assert.deepEqual(
      web?.environment.find(({ name }) => name === "PORT"),
      { name: "PORT", value: "3000" },
    );
    assert.deepEqual([redis?.image, redis?.command], ["redis@sha256:0", undefined]);
    assert.equal(tail?.image, image("1"));
    assert.match(health?.healthCheck?.command[1] ?? "", /GET \/health HTTP.*127\.0\.0\.1 3000/);
    assert.partialDeepStrictEqual(one("TaskDefinition", "service-web").inputs, { cpu: "256", memory: "512" });
  });

  it("finds a service healthy that answers to localhost alone, and one unhealthy that refuses that", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stackling-nc-"));
    const server = createServer(({ headers, url }, response) => {
      const known = headers.host === "localhost" && url === "/health";
      response.writeHead(known ? 200 : 400).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      // The health image's own is not on every machine.
      await writeFile(join(folder, "nc"), NETCAT, { mode: 0o755 });
      const { port } = server.address() as AddressInfo;
      const PATH = `${folder}${delimiter}${process.env.PATH ?? ""}`;
      const commandAt = async (healthPath: string) => {
        const { one } = await declare(aws, { services: [aService({ port, healthPath })] });
        return containersOf(one("TaskDefinition", "service-web"))["web-health"]?.healthCheck?.command[1] ?? "";
      };
      const commands = [await commandAt("/health"), await commandAt("/other")];
      const runs = commands.map((command) => execa("sh", ["-c", command], { env: { PATH }, reject: false }));
      assert.deepEqual(
        (await Promise.all(runs)).map(({ exitCode }) => exitCode),
        [0, 1],
      );
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });

  it("keeps every hidden setting in one secret of its own and out of the task definition, pinned by version", async () => {
    const environment = { DB: "${database.url}?a=1", KEY: "k-${secrets.KEY}", PLAIN: "${services.web.url}" };
    const { one } = await declare(aws, {
      ...withDatabase(),
      tasks: [],
      // A name that is among both, ECS refuses.
      environment: { KEY: "ours" },
      services: [aService({ environment })],
      secrets: secret<Record<string, string>>({ KEY: "hunter33" }),
    });
    const definition = one("TaskDefinition", "service-web");
    assert.doesNotMatch(JSON.stringify(definition.inputs), /hunter|ours/);
    const own = "arn:aws:secretsmanager:eu-central-1:123456789012:thing:service-environment";
    const { web } = containersOf(definition);
    assert.deepEqual(web?.secrets, [
      { name: "DB", valueFrom: `${own}:web_DB::v-service-environment` },
      { name: "KEY", valueFrom: `${own}:web_KEY::v-service-environment` },
    ]);
    assert.deepEqual(web?.environment.find(({ name }) => name === "PLAIN")?.value, "https://pr-1-shop.preview.test");
    const { secretString } = one("SecretVersion", "environment").inputs;
    assert.ok(isSecretInput(secretString));
    assert.deepEqual(JSON.parse(shown(secretString)), {
      web_DB: "postgres://shop:hunter22@db.test/shop?a=1",
      web_KEY: "k-hunter33",
    });
    assert.partialDeepStrictEqual(one("Secret", "environment").inputs, {
      name: `stackling/${STACK}/environment`,
      recoveryWindowInDays: 0,
    });
  });

  it("refers to secrets of a store and copies none, and refuses one inside a longer text", async () => {
    const secretReferences = {
      KEY: { kind: "aws" as const, arn: output("arn:aws:secretsmanager:eu-central-1:1:secret:key-a:::v1") },
    };
    const whole = await declare(aws, {
      secretReferences,
      services: [aService({ environment: { KEY: "${secrets.KEY}" } })],
    });
    assert.deepEqual(containersOf(whole.one("TaskDefinition", "service-web")).web?.secrets, [
      { name: "KEY", valueFrom: "arn:aws:secretsmanager:eu-central-1:1:secret:key-a:::v1" },
    ]);
    assert.ok(!whole.all.some(({ type }) => type.includes("secretsmanager")));
    const policy = String(whole.one("RolePolicy", "execution-policy").inputs.policy);
    assert.match(policy, /"arn:aws:secretsmanager:eu-central-1:1:secret:key-a"/);
  });

  it("changes task definition and service on a new commit, and nothing else", async () => {
    const first = await declare(aws, atCommit("1"));
    const second = await declare(aws, atCommit("2"));
    const changed = second.all.filter(
      ({ inputs }, index) => JSON.stringify(inputs) !== JSON.stringify(first.all[index]?.inputs),
    );
    assert.deepEqual(first.all.map(nameOf), second.all.map(nameOf));
    assert.deepEqual(
      changed.map(({ type }) => type),
      ["aws:ecs/taskDefinition:TaskDefinition"],
    );
    const again = await declare(aws, { ...atCommit("1"), generation: 1 });
    assert.notEqual(
      definitionText(again.one("TaskDefinition", "service-web")),
      definitionText(first.one("TaskDefinition", "service-web")),
    );
  });

  it("migrates and seeds, in this order, before any service is declared, and marks each as done", async () => {
    const commands: (string | undefined)[] = [];
    aws.answers = {
      RunTask({ taskDefinition, clientToken }) {
        commands.push(taskDefinition?.split("/")[1]?.split(":")[0]);
        return { tasks: [{ taskArn: `task/${clientToken}` }] };
      },
    };
    const { all, one } = await declare(aws, {
      ...withDatabase(),
      services: [aService({ name: "migrate" }), aService()],
    });
    assert.deepEqual(commands, ["shop-pr-1_task_migrate", "shop-pr-1_task_seed"]);
    const order = all.map(nameOf);
    const at = (type: string, name: string) => order.indexOf(`${type} service-${name}`);
    assert.ok(at("aws:cloudwatch/logStream:LogStream", "task-seed") >= 0);
    assert.ok(at("aws:ecs/taskDefinition:TaskDefinition", "task-seed") < at("aws:ecs/service:Service", "service-web"));
    assert.match(String(one("LogStream", "task-migrate").inputs.name), /^=done\/migrate\/[0-9a-f]{32}$/);
    const { migrate } = containersOf(one("TaskDefinition", "task-migrate"));
    assert.deepEqual(migrate?.command, ["cd 'server' && node migrate.mjs"]);
    assert.match(migrate?.secrets.find(({ name }) => name === "DATABASE_URL")?.valueFrom ?? "", /:TASK_DATABASE_URL::/);
  });

  it("runs a gate behind what serves, which knows where that is and changes nothing of it", async () => {
    const before = await declare(aws, { ...withDatabase(), tasks: [], gated: true });
    const gate = { ...GATE, environment: { STACKLING_ADDRESS: "http://${services.web.address}" } };
    const { all, one } = await declare(aws, { ...withDatabase(), tasks: [gate], gated: true });
    const textOf = (declared: readonly Declared[]) =>
      new Map(declared.map((thing) => [nameOf(thing), JSON.stringify(thing.inputs)]));
    const [first, second] = [textOf(before.all), textOf(all)];
    assert.deepEqual(
      [...second].filter(([name, text]) => first.get(name) !== text).map(([name]) => name.split(":").at(-1)),
      ["TaskDefinition service-task-gate", "LogStream service-task-gate"],
    );
    const order = all.map(nameOf);
    const [served, run] = [
      order.findIndex((name) => name.startsWith("aws:ecs/service:Service")),
      order.findIndex((name) => name.endsWith("LogStream service-task-gate")),
    ];
    assert.ok(served >= 0 && served < run);
    const { gate: container } = containersOf(one("TaskDefinition", "task-gate"));
    const address = container?.environment.find(({ name }) => name === "STACKLING_ADDRESS")?.value;
    assert.equal(address, "http://web.shop-pr-1.previews.internal:8080");
  });

  it("runs jobs to their end and schedules crons, one group per preview", async () => {
    const services = [
      aService(),
      aService({ name: "import", kind: "job", command: "node import.mjs" }),
      aService({ name: "nightly", kind: "cron", schedule: "0 3 * * 1", command: "node nightly.mjs" }),
    ];
    const { one, all } = await declare(aws, { services });
    assert.match(String(one("LogStream", "service-import").inputs.name), /^=done\/import\//);
    assert.partialDeepStrictEqual(one("Schedule", "schedules-nightly-0").inputs, {
      groupName: STACK,
      scheduleExpression: "cron(0 3 ? * MON *)",
      scheduleExpressionTimezone: "UTC",
      target: { arn: "arn:aws:ecs:eu-central-1:123456789012:cluster/previews" },
    });
    assert.deepEqual(one("Schedule", "schedules-nightly-0").opts.ignoreChanges, ["state"]);
    assert.deepEqual(
      all.filter(({ type }) => type === "aws:ecs/service:Service").map(({ name }) => name),
      ["service-service-web"],
    );
    const policy = JSON.parse(String(one("RolePolicy", "scheduler-policy").inputs.policy));
    assert.deepEqual(policy.Statement[0].Resource, [
      "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-pr-1_nightly:*",
    ]);
  });

  it("runs a job of another repository again when that has a new commit, and not when the preview's own has", async () => {
    const mark = async (own: string, other: string) => {
      const { source } = atCommit(other);
      const sources = { api: { ...source, environment: {} } };
      const services = [aService(), aService({ name: "import", kind: "job", source: "api" })];
      const { one } = await declare(aws, { ...atCommit(own), sources, services });
      return one("LogStream", "service-import").inputs.name;
    };
    const first = await mark("1", "2");
    assert.equal(await mark("3", "2"), first);
    assert.notEqual(await mark("1", "3"), first);
  });

  it("shares a load balancer where it is the edge itself", async () => {
    const listener = "arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/previews/0a/0b";
    const { one } = await declare(aws, {}, { edge: { direct: { listener, vpc: "vpc-1" } } }, true);
    assert.partialDeepStrictEqual(one("TargetGroup", "service-web").inputs, {
      targetType: "ip",
      vpcId: "vpc-1",
      deregistrationDelay: 15,
      healthCheck: { path: "/health", matcher: "200-399" },
    });
    assert.partialDeepStrictEqual(one("ListenerRule", "service-web").inputs, {
      listenerArn: listener,
      conditions: [{ hostHeader: { values: ["pr-1-shop.preview.test"] } }],
    });
    assert.partialDeepStrictEqual(one("ecs/service:Service", "service-web").inputs, {
      loadBalancers: [{ containerName: "web", containerPort: 8080 }],
      healthCheckGracePeriodSeconds: 60,
    });
    assert.deepEqual(Object.keys(containersOf(one("TaskDefinition", "service-web"))), ["web"]);
  });

  it("keeps target group and service in their place when port and capacity change: their names are taken", async () => {
    const listener = "arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/previews/0a/0b";
    const edge = { direct: { listener, vpc: "vpc-1" } };
    const before = await declare(aws, {}, { edge }, true);
    const after = await declare(aws, { services: [aService({ port: 3000 })] }, { edge, capacity: "on-demand" }, true);
    assert.deepEqual(after.one("TargetGroup", "service-web").inputs, before.one("TargetGroup", "service-web").inputs);
    assert.partialDeepStrictEqual(after.one("ecs/service:Service", "service-web").inputs, {
      forceNewDeployment: true,
      loadBalancers: [{ containerPort: 3000 }],
    });
  });

  for (const [what, service, words] of [
    [
      "a service without an image",
      aService({ image: undefined }),
      /"web": this target runs images; give it a line like "image: /,
    ],
    ["a size that Fargate has not", aService({ cpu: 64 }), /sizing "web"/],
    ["a cron without a schedule", aService({ kind: "cron" }), /"web": it has no "schedule"/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(declare(aws, { services: [service] }, {}, true), (error: Error) => {
        const told = decodeFromEngine(error.message);
        assert.match(told?.userMessage ?? error.message, words);
        return true;
      });
    });
  }

  it("cannot be combined with the gateway of this machine, nor with secrets of another region", () => {
    const choice = (driver: string, options = {}) => ({ driver, options });
    const target = {
      service: choice("ecs", { region: "eu-central-1" }),
      dns: choice("wildcard"),
      secrets: choice("local"),
    };
    assert.equal(refuseEcs(target), undefined);
    assert.match(
      refuseEcs({ ...target, dns: choice("gateway") }) ?? "",
      /choose "wildcard", "route53" or "cloudflare"/,
    );
    assert.match(refuseEcs({ ...target, secrets: choice("aws", { region: "us-east-1" }) }) ?? "", /the same "region"/);
  });
});

function nameOf({ type, name }: Declared): string {
  return `${type} ${name}`;
}

function definitionText({ inputs }: Declared): string {
  return String(inputs.containerDefinitions);
}

/** The mocks hand secrets over in the engine's own form. */
function isSecretInput(value: unknown): boolean {
  return typeof value === "object" && value !== null && "4dabf18193072939515e22adb298388d" in value;
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null && "value" in value ? String(value.value) : String(value);
}
