import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { RunTaskRequest, Task } from "@aws-sdk/client-ecs";
import { createClients } from "../../../components/aws/clients.ts";
import { doneStream, runOnce } from "../../../components/aws/one-off-task.ts";
import { AwsFault, type AwsServer, startAwsServer } from "../../support/aws-server.ts";
import { testAccount } from "./account.ts";

const DEFINITION = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-pr-1_task_migrate:1";

const migration = {
  name: "migrate",
  key: "migrate/database-1/0123456/0",
  family: "shop-pr-1_task_migrate",
  taskDefinition: DEFINITION,
  logGroup: "/stackling/shop-pr-1",
  reason: "MigrationFailed",
  action: "migrating the database",
  options: { cluster: "previews", subnets: ["subnet-1"], securityGroups: ["sg-1"], publicIp: false },
  secrets: [],
};

describe("a task that runs once", () => {
  let aws: AwsServer;
  /** Tasks that ECS knows of. */
  let tasks: Task[];
  let started: RunTaskRequest[];
  let marks: string[];
  /** How the next task ends. */
  let exitCode: number;
  before(async () => {
    aws = await startAwsServer();
  });
  after(() => aws.close());
  beforeEach(() => {
    tasks = [];
    started = [];
    marks = [];
    exitCode = 0;
    aws.answers = {
      DescribeLogStreams: ({ logStreamNamePrefix = "" }) => ({
        logStreams: marks
          .filter((name) => name.startsWith(logStreamNamePrefix))
          .map((logStreamName) => ({ logStreamName })),
      }),
      ListTasks: ({ desiredStatus }) => ({
        taskArns: tasks
          .filter(({ lastStatus }) => (lastStatus === "STOPPED") === (desiredStatus === "STOPPED"))
          .map(({ taskArn = "" }) => taskArn),
      }),
      DescribeTasks({ tasks: asked = [] }) {
        const found = tasks.filter(({ taskArn = "" }) => asked.includes(taskArn));
        const answer = structuredClone(found);
        // It ends between two looks.
        for (const task of found) finish(task);
        return { tasks: answer };
      },
      RunTask(request) {
        started.push(request);
        // The same token gives the same task: API reference, "RunTask".
        const known = tasks.find(({ taskArn }) => taskArn === `task/${request.clientToken}`);
        const task = known ?? begin(`task/${request.clientToken}`, request.startedBy ?? "");
        return { tasks: [task] };
      },
      GetLogEvents: () => ({ events: [{ message: 'psql:db/2.sql:7: ERROR:  relation "carts" does not exist' }] }),
    };
  });

  function begin(taskArn: string, startedBy: string): Task {
    const task: Task = { taskArn, startedBy, lastStatus: "RUNNING", containers: [{ name: "migrate" }] };
    tasks.push(task);
    return task;
  }

  function finish(task: Task): void {
    if (task.lastStatus === "STOPPED") return;
    Object.assign(task, {
      lastStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      containers: [{ name: "migrate", exitCode }],
    });
  }

  function run(change: Partial<typeof migration> = {}): Promise<string> {
    const { ecs, logs } = createClients(testAccount(aws.url));
    return runOnce(
      { ecs, logs, pace: { pauseMs: 1, say: async () => undefined, fate: new AbortController() } },
      { ...migration, ...change },
    );
  }

  it("runs on demand in the network of the tasks, and gives the mark that stands for it", async () => {
    assert.equal(await run(), doneStream(migration));
    assert.equal(started.length, 1);
    assert.equal(started[0]?.launchType, "FARGATE");
    assert.equal(started[0]?.taskDefinition, DEFINITION);
    assert.deepEqual(started[0]?.networkConfiguration?.awsvpcConfiguration, {
      subnets: ["subnet-1"],
      securityGroups: ["sg-1"],
      assignPublicIp: "DISABLED",
    });
  });

  it("does not run again once it is marked, long after AWS forgot its task", async () => {
    marks = [await run()];
    tasks = [];
    await run();
    assert.equal(started.length, 1);
  });

  it("does not run again when the run was killed between its end and the mark", async () => {
    await run();
    await run();
    assert.equal(started.length, 1);
  });

  it("waits for the task that a killed run had started, and starts none", async () => {
    await run();
    const running = tasks[0];
    assert.ok(running);
    Object.assign(running, { lastStatus: "RUNNING", containers: [{ name: "migrate" }] });
    await run();
    assert.equal(started.length, 1);
    assert.equal(running.lastStatus, "STOPPED");
  });

  it("runs again for another key, such as the next commit", async () => {
    marks = [await run()];
    await run({ key: "migrate/database-1/89abcde/0" });
    assert.equal(started.length, 2);
  });

  it("tells why it failed with its last words, and is tried anew the next time", async () => {
    exitCode = 1;
    await assert.rejects(run(), {
      reason: "MigrationFailed",
      userMessage:
        'migrating the database: container "migrate" exited with code 1; "db/2.sql:7" failed: relation "carts" does not exist',
      excerpt: ['psql:db/2.sql:7: ERROR:  relation "carts" does not exist'],
    });
    exitCode = 0;
    await run();
    assert.equal(new Set(started.map(({ clientToken }) => clientToken)).size, 2);
  });

  it("waits until AWS knows its new role everywhere", async () => {
    const { RunTask } = aws.answers;
    let asked = 0;
    aws.answers.RunTask = (request) => {
      asked += 1;
      if (asked < 3)
        throw new AwsFault("ClientException", "ECS was unable to assume the role that was provided for this task.");
      return RunTask?.(request) ?? {};
    };
    await run();
    assert.equal(asked, 3);
    assert.equal(started.length, 1);
  });

  it("says that AWS has no room for it", async () => {
    aws.answers.RunTask = () => ({ tasks: [], failures: [{ reason: "Capacity is unavailable at this time" }] });
    await assert.rejects(run(), { reason: "CapacityUnavailable", userMessage: /Capacity is unavailable/ });
  });
});
