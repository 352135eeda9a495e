/** `cron` services: schedules that start a task each. */
import { Schedule } from "@pulumi/aws/scheduler/schedule.js";
import { ScheduleGroup } from "@pulumi/aws/scheduler/scheduleGroup.js";
import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { ServiceDefinition } from "../ports.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { scheduleExpressions } from "./schedule.ts";

export interface SchedulesInput {
  readonly stack: string;
  readonly options: EcsOptions;
  readonly clusterArn: Input<string>;
  readonly role: Output<string>;
  readonly crons: readonly { readonly service: ServiceDefinition; readonly version: Input<string> }[];
}

/** A group per preview, for schedules bear no tags themselves. Whether they fire is no part of the stack: a sleeping preview's do not. */
export function makeSchedules(
  name: string,
  input: SchedulesInput,
  opts: { readonly group: CustomResourceOptions; readonly child: CustomResourceOptions },
): Schedule[] {
  const { stack, options, clusterArn, role, crons } = input;
  const group = new ScheduleGroup(name, { name: stack }, opts.group);
  return crons.flatMap(({ service, version }) =>
    expressionsOf(service).map(
      (scheduleExpression, index) =>
        new Schedule(
          `${name}-${service.name}-${index}`,
          {
            name: `${service.name}-${index}`,
            groupName: group.name,
            scheduleExpression,
            scheduleExpressionTimezone: "UTC",
            flexibleTimeWindow: { mode: "OFF" },
            state: "ENABLED",
            target: {
              arn: clusterArn,
              roleArn: role,
              ecsParameters: {
                taskDefinitionArn: version,
                taskCount: 1,
                propagateTags: "TASK_DEFINITION",
                capacityProviderStrategies: [
                  { capacityProvider: options.capacity === "spot" ? "FARGATE_SPOT" : "FARGATE", weight: 1 },
                ],
                networkConfiguration: {
                  subnets: options.subnets,
                  securityGroups: options.securityGroups,
                  assignPublicIp: options.publicIp,
                },
              },
              // A run that was missed is not made up for.
              retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
            },
          },
          { ...opts.child, ignoreChanges: ["state"] },
        ),
    ),
  );
}

function expressionsOf({ name, schedule }: ServiceDefinition): readonly string[] {
  if (schedule !== undefined) return scheduleExpressions(schedule);
  throw new TerminalError({ reason: "SpecInvalid", userMessage: `scheduling "${name}": it has no "schedule"` });
}
