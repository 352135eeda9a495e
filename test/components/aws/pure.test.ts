/** What the AWS drivers compute before anything is asked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Rule } from "@aws-sdk/client-elastic-load-balancing-v2";
import fc from "fast-check";
import { choosePriorities } from "../../../components/aws/listener.ts";
import { discoveryName, readThingName, targetGroupName, thingName } from "../../../components/aws/names.ts";
import { stacklingPolicy } from "../../../components/aws/policy.ts";
import { scheduleExpressions } from "../../../components/aws/schedule.ts";
import { fargateSize } from "../../../components/aws/sizes.ts";

const stackName = fc.stringMatching(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
const serviceName = fc.stringMatching(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/);

describe("names at AWS", () => {
  it("tell stack and service apart, whatever they are", () => {
    fc.assert(
      fc.property(stackName, serviceName, (stack, service) => {
        assert.deepEqual(readThingName(thingName(stack, service)), { stack, part: service });
      }),
    );
  });

  it("fit what AWS takes", () => {
    fc.assert(
      fc.property(stackName, serviceName, (stack, service) => {
        assert.match(targetGroupName(stack, service), /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/);
        assert.match(thingName(stack, "execution", 64), /^[\w-]{1,64}$/);
        for (const label of discoveryName(stack, service).split(".")) assert.ok(label.length <= 63);
      }),
    );
  });

  it("of target groups do not meet where a dash could stand in either", () => {
    assert.notEqual(targetGroupName("a-b", "c"), targetGroupName("a", "b-c"));
  });
});

describe("sizes", () => {
  for (const [cpu, memoryMiB, cpuUnits, gives] of [
    [0.1, 64, 256, 512],
    [0.25, 513, 256, 1024],
    [0.25, 2049, 512, 3072],
    [1, 512, 1024, 2048],
    [1, 8192, 1024, 8192],
    [2, 20_000, 4096, 20_480],
    [16, 122_880, 16_384, 122_880],
  ] as const) {
    it(`are rounded up: ${cpu} CPU with ${memoryMiB} MiB`, () => {
      assert.deepEqual(fargateSize({ cpu, memoryMiB }), { cpuUnits, memoryMiB: gives });
    });
  }

  it("beyond Fargate's largest are none", () => {
    assert.equal(fargateSize({ cpu: 17, memoryMiB: 1 }), undefined);
    assert.equal(fargateSize({ cpu: 1, memoryMiB: 130_000 }), undefined);
  });
});

describe("schedules", () => {
  for (const [cron, expected] of [
    ["*/5 * * * *", ["cron(*/5 * * * ? *)"]],
    ["0 3 * * 0", ["cron(0 3 ? * SUN *)"]],
    ["0 3 * * 7", ["cron(0 3 ? * SUN *)"]],
    ["0 3 * * 1-5", ["cron(0 3 ? * MON,TUE,WED,THU,FRI *)"]],
    ["0 3 * * fri-mon", ["cron(0 3 ? * SUN,MON,FRI,SAT *)"]],
    ["0 3 * * */2", ["cron(0 3 ? * SUN,TUE,THU,SAT *)"]],
    ["15 4 1,15 * *", ["cron(15 4 1,15 * ? *)"]],
    ["0 0 1 jan *", ["cron(0 0 1 JAN ? *)"]],
    ["0 0 13 * 5", ["cron(0 0 13 * ? *)", "cron(0 0 ? * FRI *)"]],
  ] as const) {
    it(`${cron} is ${expected.join(" and ")}`, () => assert.deepEqual(scheduleExpressions(cron), expected));
  }
});

describe("priorities on a shared listener", () => {
  const wish = (stack: string, ...services: readonly string[]) => ({
    stack,
    rules: services.map((service) => ({ service, host: `${service}-${stack}.example.dev` })),
  });
  const rule = (priority: number, host: string, targetGroup: string): Rule => ({
    Priority: String(priority),
    Conditions: [{ Field: "host-header", HostHeaderConfig: { Values: [host] } }],
    Actions: [{ Type: "forward", TargetGroupArn: `arn:aws:elasticloadbalancing:x:1:targetgroup/${targetGroup}/0a` }],
  });

  it("are the same each time, and between 1 and 50,000", () => {
    fc.assert(
      fc.property(stackName, serviceName, (stack, service) => {
        const chosen = choosePriorities([], wish(stack, service))[service] ?? 0;
        assert.ok(chosen >= 1 && chosen <= 50_000);
        assert.equal(choosePriorities([], wish(stack, service))[service], chosen);
      }),
    );
  });

  it("step aside for rules that are there, and for each other", () => {
    const first = choosePriorities([], wish("shop-pr-1", "web")).web ?? 0;
    const taken = [rule(first, "other.example.dev", "other"), rule((first % 50_000) + 1, "more.example.dev", "more")];
    const chosen = choosePriorities(taken, wish("shop-pr-1", "web", "api"));
    assert.equal(chosen.web, ((first + 1) % 50_000) + 1);
    assert.notEqual(chosen.web, chosen.api);
  });

  it("stay what they are once a rule has one", () => {
    const ours = rule(777, "web-shop-pr-1.example.dev", targetGroupName("shop-pr-1", "web"));
    assert.equal(choosePriorities([ours], wish("shop-pr-1", "web")).web, 777);
  });

  it("are none for a host that somebody else's rule has", () => {
    const theirs = rule(5, "web-shop-pr-1.example.dev", "production");
    assert.throws(() => choosePriorities([theirs], wish("shop-pr-1", "web")), { reason: "NameTaken" });
  });

  it("are none when all are taken", () => {
    const all = Array.from({ length: 50_000 }, (_, index): Rule => ({ Priority: String(index + 1) }));
    assert.throws(() => choosePriorities(all, wish("shop-pr-1", "web")), { reason: "QuotaExceeded" });
  });
});

describe("the policy of Stackling itself", () => {
  const full = stacklingPolicy({
    accountId: "123456789012",
    region: "eu-central-1",
    hostedZoneId: "Z1",
    listenerArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/previews/0a/0b",
    permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary",
    taskPolicies: ["arn:aws:iam::123456789012:policy/uploads"],
  });

  it("allows no whole service and nothing on everything but looking", () => {
    for (const { Sid, Action, Resource } of full.Statement) {
      for (const action of Action) {
        assert.doesNotMatch(action, /\*/);
        if (Resource.includes("*"))
          assert.match(action, /:(Describe|List|Get|Discover|Deregister)/, `${Sid}: ${action}`);
      }
    }
  });

  it("makes roles below our path and within the boundary only", () => {
    const make = full.Statement.find(({ Action }) => Action.includes("iam:CreateRole"));
    assert.deepEqual(make?.Resource, ["arn:aws:iam::123456789012:role/stackling/*"]);
    assert.deepEqual(make?.Condition, {
      StringEquals: { "iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary" },
    });
    const pass = full.Statement.find(({ Action }) => Action.includes("iam:PassRole"));
    assert.deepEqual(pass?.Resource, ["arn:aws:iam::123456789012:role/stackling/*"]);
  });

  it("says nothing of Route 53 and load balancers where they are not used, and fits into one managed policy", () => {
    const small = JSON.stringify(stacklingPolicy({ accountId: "123456789012", region: "eu-central-1" }));
    assert.doesNotMatch(small, /route53|CreateRule/);
    // AWS takes 6,144 characters: IAM user guide, "IAM and AWS STS quotas".
    assert.ok(JSON.stringify(full).length <= 6_144, String(JSON.stringify(full).length));
  });
});
