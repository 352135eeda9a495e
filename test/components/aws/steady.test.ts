import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Deployment, Service, Task } from "@aws-sdk/client-ecs";
import { createClients } from "../../../components/aws/clients.ts";
import { awaitSteady } from "../../../components/aws/steady.ts";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import { type Answers, type AwsServer, startAwsServer } from "../../support/aws-server.ts";
import { eventually } from "../../support/eventually.ts";
import { testAccount } from "./account.ts";

const NEW = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-pr-1_web:2";
const OLD = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-pr-1_web:1";

const expected = {
  name: "web",
  cluster: "previews",
  service: "shop-pr-1_web",
  taskDefinition: NEW,
  startTimeoutSeconds: 60,
  logGroup: "/stackling/shop-pr-1",
  secrets: ["hunter2-hunter2"],
};

describe("waiting for a service", () => {
  let aws: AwsServer;
  before(async () => {
    aws = await startAwsServer();
  });
  after(() => aws.close());

  async function wait(answers: Answers): Promise<void> {
    aws.answers = answers;
    const { ecs, logs } = createClients(testAccount(aws.url));
    await awaitSteady(
      { ecs, logs, pace: { pauseMs: 1, say: async () => undefined, fate: new AbortController() } },
      expected,
    );
  }

  /** One state after the other; the last one stays. */
  function states(...services: readonly Service[]): NonNullable<Answers["DescribeServices"]> {
    let at = 0;
    return () => ({ services: [services[Math.min(at++, services.length - 1)] ?? {}] });
  }

  it("ends when the new version runs alone", async () => {
    const both = service(deployment(NEW, "IN_PROGRESS", 0), deployment(OLD, "COMPLETED", 1, "ACTIVE"));
    const drained = service(deployment(NEW, "COMPLETED", 1));
    const DescribeServices = states(both, both, drained);
    await wait({ DescribeServices, ListTasks: () => ({ taskArns: [] }) });
  });

  it("wakes a service that sleeps", async () => {
    const counts: (number | undefined)[] = [];
    const asleep = { ...service(deployment(NEW, "COMPLETED", 0)), desiredCount: 0 };
    await wait({
      DescribeServices: states(asleep, service(deployment(NEW, "COMPLETED", 1))),
      UpdateService({ desiredCount }) {
        counts.push(desiredCount);
        return {};
      },
      ListTasks: () => ({ taskArns: [] }),
    });
    assert.deepEqual(counts, [1]);
  });

  it("starts the version once more where an earlier run of it had been rolled back", async () => {
    const started: (string | undefined)[] = [];
    await wait({
      DescribeServices: states(service(deployment(OLD, "COMPLETED", 1)), service(deployment(NEW, "COMPLETED", 1))),
      UpdateService({ taskDefinition }) {
        started.push(taskDefinition);
        return {};
      },
      ListTasks: () => ({ taskArns: [] }),
    });
    assert.deepEqual(started, [NEW]);
  });

  const starting = service(deployment(NEW, "IN_PROGRESS", 0), deployment(OLD, "COMPLETED", 1, "ACTIVE"));

  async function failing(tasks: readonly Task[], state = starting): Promise<StacklingError> {
    const told = await wait({
      DescribeServices: states(state),
      ListTasks: () => ({ taskArns: tasks.map(({ taskArn = "" }) => taskArn) }),
      DescribeTasks: () => ({ tasks: [...tasks] }),
      GetLogEvents: ({ logStreamName }) => ({ events: [{ message: `${logStreamName}: password=hunter2-hunter2` }] }),
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(told instanceof StacklingError, String(told));
    return told;
  }

  it("says with its last log lines that a container exits, and keeps secrets out of them", async () => {
    const exited = { stopCode: "EssentialContainerExited" as const, containers: [{ name: "web", exitCode: 3 }] };
    const told = await failing([task("a", exited), task("b", exited)]);
    assert.ok(told instanceof TerminalError);
    assert.equal(told.reason, "StartFailed");
    assert.match(told.userMessage, /starting service "web": container "web" exited with code 3/);
    assert.match(told.excerpt[0] ?? "", /^web\/web\/[ab]: /);
    assert.doesNotMatch(told.excerpt.join(), /hunter2/);
  });

  it("says at once that an image cannot be fetched, without the account's number, and tries again later", async () => {
    const stoppedReason =
      "CannotPullContainerError: pull image manifest has been retried 1 time(s): 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop: not found";
    const told = await failing([task("a", { stopCode: "TaskFailedToStart", stoppedReason })]);
    assert.equal(told.reason, "ImagePullFailed");
    assert.ok(!(told instanceof TerminalError));
    assert.match(told.userMessage, /the image cannot be fetched: .*not found/);
    assert.doesNotMatch(told.userMessage, /\d{12}/);
  });

  it("says that a health check fails, that memory lacks, and that a secret is missing", async () => {
    const of = async (change: Partial<Task>) => {
      const told = await failing([task("a", change), task("b", change)]);
      return `${told.reason}: ${told.userMessage}`;
    };
    assert.match(
      await of({ stopCode: "ServiceSchedulerInitiated", stoppedReason: "Task failed container health checks" }),
      /^HealthCheckFailed: .*its health check failed/,
    );
    assert.match(
      await of({
        stopCode: "EssentialContainerExited",
        containers: [{ name: "web", exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" }],
      }),
      /^StartFailed: .*needs more memory/,
    );
    assert.match(
      await of({
        stopCode: "TaskFailedToStart",
        stoppedReason:
          "ResourceInitializationError: unable to pull secrets or registry auth: secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
      }),
      /^SecretMissing: .*not in Secrets Manager/,
    );
    assert.match(
      await of({
        stopCode: "TaskFailedToStart",
        stoppedReason: "ResourceInitializationError: unable to pull secrets or registry auth: i/o timeout",
      }),
      /^SecretMissing: .*do not reach AWS' services/,
    );
  });

  it("fails when the circuit breaker gives up, and blames no task of an older attempt", async () => {
    const older = task(
      "a",
      { stopCode: "EssentialContainerExited", containers: [{ name: "web", exitCode: 3 }] },
      "ecs-svc/older",
    );
    const told = await failing([older, { ...older, taskArn: "b" }], service(deployment(NEW, "FAILED", 0)));
    assert.equal(told.reason, "HealthCheckFailed");
  });

  it("takes interruptions of spot capacity for no failure, and says when there is none", async () => {
    const interrupted = task("a", { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." });
    const events = [
      { message: "service shop-pr-1_web was unable to place a task. Reason: Capacity is unavailable at this time." },
    ];
    const told = await failing([interrupted, interrupted], { ...service(deployment(NEW, "FAILED", 0)), events });
    assert.equal(told.reason, "CapacityUnavailable");
    assert.ok(!(told instanceof TerminalError));
  });

  it("ends at once when something else of the program failed", async () => {
    const never = service(deployment(NEW, "IN_PROGRESS", 0), deployment(OLD, "COMPLETED", 1, "ACTIVE"));
    aws.answers = { DescribeServices: states(never), ListTasks: () => ({ taskArns: [] }) };
    const { ecs, logs } = createClients(testAccount(aws.url));
    const fate = new AbortController();
    const waiting = awaitSteady({ ecs, logs, pace: { pauseMs: 60_000, say: async () => undefined, fate } }, expected);
    await eventually(() => aws.asked.at(-1) === "ListTasks");
    fate.abort(new Error("the migration failed"));
    await assert.rejects(waiting, { name: "AbortError" });
  });

  it("names the permission that lacks", async () => {
    await assert.rejects(wait({}), { reason: "TargetForbidden", userMessage: /"ecs:DescribeServices"/ });
  });
});

function deployment(
  taskDefinition: string,
  rolloutState: Deployment["rolloutState"],
  runningCount: number,
  status = "PRIMARY",
): Deployment {
  return { id: "ecs-svc/new", status, taskDefinition, rolloutState, runningCount, desiredCount: 1 };
}

function service(...deployments: readonly Deployment[]): Service {
  return {
    status: "ACTIVE",
    serviceName: "shop-pr-1_web",
    desiredCount: 1,
    runningCount: 1,
    deployments: [...deployments],
  };
}

function task(id: string, change: Partial<Task>, startedBy = "ecs-svc/new"): Task {
  return {
    taskArn: `arn:aws:ecs:eu-central-1:123456789012:task/previews/${id}`,
    taskDefinitionArn: NEW,
    startedBy,
    lastStatus: "STOPPED",
    ...change,
  };
}
