/** The ECS driver's program under the real engine; the provider's plugin is played, see test/support/aws-provider.ts. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { CreateLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { Deployment, Task } from "@aws-sdk/client-ecs";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { createClients } from "../../../components/aws/clients.ts";
import { ecsOptions } from "../../../components/aws/ecs-options.ts";
import { decodeFromEngine, TerminalError } from "../../../components/errors.ts";
import { EcsServices } from "../../../components/service/ecs.ts";
import { locateEngine } from "../../../infra/engine.ts";
import { registerTags } from "../../../infra/tags.ts";
import { type AwsProvider, startAwsProvider } from "../../support/aws-provider.ts";
import { type AwsServer, startAwsServer } from "../../support/aws-server.ts";
import { type Moto, requiresMoto, startMoto } from "../../support/moto.ts";
import { testAccount } from "./account.ts";
import { type Args, atCommit, STACK, withDatabase } from "./declared.ts";

describe("a preview on ECS under the real engine", await requiresMoto("engine"), () => {
  let moto: Moto;
  let aws: AwsServer;
  let provider: AwsProvider;
  let folder: string;
  let stack: Stack;
  let wish: Partial<Args>;
  let tasksRun: number;
  /** Versions that do not come up. */
  let broken: boolean;

  before(async () => {
    [moto, aws, provider] = await Promise.all([startMoto(), startAwsServer(), startAwsProvider()]);
    aws.elsewhere = moto.url;
    process.env.PATH = `${dirname((await locateEngine()).command)}${delimiter}${process.env.PATH}`;
    folder = await mkdtemp(join(tmpdir(), "stackling-ecs-"));
    const workDir = join(folder, "work");
    await mkdir(workDir);
    stack = await LocalWorkspace.createStack(
      { stackName: STACK, projectName: "stackling", program },
      {
        workDir,
        pulumiHome: join(folder, "home"),
        envVars: {
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          PULUMI_DEBUG_PROVIDERS: `aws:${provider.port}`,
        },
      },
    );
  });
  after(async () => {
    provider?.close();
    await aws?.close();
    await moto?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    wish = atCommit("1");
    broken = false;
    tasksRun = 0;
    playEcs();
  });

  async function program() {
    registerTags({ preview: "shop#1", owner: "ada" }, STACK);
    const options = ecsOptions.parse({
      ...testAccount(aws.url),
      cluster: "previews",
      subnets: ["subnet-1"],
      securityGroups: ["sg-1"],
      namespace: { id: "ns-1", name: "previews.internal" },
    });
    const { source, environment, services } = atCommit("1");
    const base = { stack: STACK, tags: {}, options, tasks: [], urls: {}, generation: 0, source, environment, services };
    return { addresses: new EcsServices("service", { ...base, ...wish }).addresses };
  }

  /** ECS as it looks on what the provider made. */
  function playEcs(): void {
    const serviceNamed = (name: string | undefined) =>
      [...provider.things.values()].find(
        ({ type, inputs }) => type === "aws:ecs/service:Service" && inputs.name === name,
      );
    aws.answers = {
      DescribeServices({ services: [name] = [] }) {
        const found = serviceNamed(name);
        if (!found) return { services: [] };
        const rolloutState = broken ? "FAILED" : "COMPLETED";
        const taskDefinition = String(found.inputs.taskDefinition);
        const deployments: Deployment[] = [
          { id: "one", status: "PRIMARY", taskDefinition, rolloutState, runningCount: 1 },
        ];
        return { services: [{ status: "ACTIVE", desiredCount: 1, deployments }] };
      },
      ListTasks: ({ serviceName }) => ({ taskArns: broken && serviceName ? ["a"] : [] }),
      DescribeTasks({ tasks = [] }) {
        const crashed = (taskArn: string): Task => {
          const taskDefinitionArn = String(serviceNamed("shop-pr-1_web")?.inputs.taskDefinition);
          const containers = [{ name: "web", exitCode: taskArn === "a" ? 3 : 0 }];
          return {
            taskArn,
            taskDefinitionArn,
            startedBy: "one",
            lastStatus: "STOPPED",
            stopCode: "EssentialContainerExited",
            containers,
          };
        };
        return { tasks: tasks.map(crashed) };
      },
      RunTask({ clientToken }) {
        tasksRun += 1;
        return { tasks: [{ taskArn: `task/${clientToken}` }] };
      },
      DescribeLogStreams: ({ logStreamNamePrefix = "" }) => ({
        logStreams: [...provider.things.values()].flatMap(({ type, inputs }) =>
          type === "aws:cloudwatch/logStream:LogStream" && String(inputs.name).startsWith(logStreamNamePrefix)
            ? [{ logStreamName: String(inputs.name) }]
            : [],
        ),
      }),
      GetLogEvents: () => ({ events: [{ message: "it went wrong" }] }),
    };
  }

  /** The Automation API listens for what a failed Output leaves behind; the test runner would take it for a test's. */
  async function failingUp(): Promise<string> {
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    try {
      return await stack.up().then(String, (error: Error) => error.message);
    } finally {
      for (const listener of listeners) process.on("unhandledRejection", listener);
    }
  }

  it("lives: made, unchanged by a second run, moved to a new commit, destroyed", async () => {
    const { database, tasks } = withDatabase();
    wish = { ...atCommit("1"), database, tasks };
    const { outputs } = await stack.up();
    assert.deepEqual(outputs.addresses?.value, { web: "web.shop-pr-1.previews.internal:8080" });
    assert.equal(tasksRun, 2);
    assert.match(String(provider.config().defaultTags), /"stackling:preview":"shop-1".*"stackling:stack":"shop-pr-1"/);
    provider.takeLog();

    await stack.up();
    assert.deepEqual(provider.takeLog(), []);
    assert.equal(tasksRun, 2);

    wish = { ...atCommit("2"), database, tasks };
    await stack.up();
    assert.equal(tasksRun, 3, "a migration for the new commit, no seed");
    const done = provider.takeLog();
    assert.deepEqual(
      done.filter((line) => line.startsWith("update")),
      ["update aws:ecs/service:Service service-service-web"],
    );
    const kinds = new Set(done.filter((line) => !line.startsWith("update")).map((line) => line.split(" ")[1]));
    assert.deepEqual([...kinds].sort(), [
      "aws:cloudwatch/logStream:LogStream",
      "aws:ecs/taskDefinition:TaskDefinition",
    ]);

    await stack.destroy();
    assert.equal(provider.things.size, 0);
  });

  it("tells the engine why a version does not come up, and comes up with the next", async () => {
    await stack.up();
    broken = true;
    wish = atCommit("2");
    const text = await failingUp();
    const told = decodeFromEngine(text);
    assert.ok(told instanceof TerminalError, text);
    assert.partialDeepStrictEqual({ ...told }, { reason: "StartFailed", excerpt: ["it went wrong"] });
    broken = false;
    wish = atCommit("3");
    await stack.up();
    await stack.destroy();
    assert.equal(provider.things.size, 0);
  });

  it("leaves a log group alone that is somebody else's, and clears one that it left itself", async () => {
    const { logs } = createClients(testAccount(moto.url));
    const logGroupName = `/stackling/${STACK}`;
    await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { owner: "ada" } }));
    const text = await failingUp();
    assert.equal(decodeFromEngine(text)?.reason, "NameTaken", text);
    const count = async () =>
      (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }))).logGroups?.length;
    assert.equal(await count(), 1);
    await moto.reset();
    await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { "stackling:stack": STACK } }));
    await stack.up();
    assert.equal(await count(), 0);
    await stack.destroy();
  });
});
