/** What previews own at AWS, by kind: how it is told from its ARN, found, and removed. */
import { DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  DeleteServiceCommand,
  DeregisterTaskDefinitionCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  StopTaskCommand,
} from "@aws-sdk/client-ecs";
import {
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { DeleteScheduleGroupCommand, GetScheduleGroupCommand } from "@aws-sdk/client-scheduler";
import { DeleteSecretCommand, DescribeSecretCommand } from "@aws-sdk/client-secrets-manager";
import {
  DeleteServiceCommand as DeleteDiscoveryCommand,
  DeregisterInstanceCommand,
  GetServiceCommand,
  paginateListInstances,
  paginateListServices,
} from "@aws-sdk/client-servicediscovery";
import type { Clients } from "./clients.ts";
import { isMissing } from "./errors.ts";
import { findRole, removeRole } from "./iam-roles.ts";

/** Where a name is looked up. */
export interface Place {
  readonly cluster: string;
  readonly namespace: string;
}

export interface Kind {
  /** ARNs of this kind, and of no other. */
  readonly pattern: RegExp;
  /** ARN of the one of that name, whoever made it. */
  readonly named?: (clients: Clients, name: string, place: Place) => Promise<string | undefined>;
  /** The tagging API remembers what is gone for a while. */
  readonly exists: (clients: Clients, arn: string) => Promise<boolean>;
  /** Gone already may be an error that says so. */
  readonly remove: (clients: Clients, arn: string) => Promise<unknown>;
}

const ALIVE = /^(ACTIVE|DRAINING)$/;

/** In the order in which they can be removed. */
export const kinds = {
  "listener rule": {
    pattern: /:elasticloadbalancing:[^:]*:[^:]*:listener-rule\//,
    exists: async ({ loadBalancers }, arn) =>
      some((await loadBalancers.send(new DescribeRulesCommand({ RuleArns: [arn] }))).Rules),
    remove: ({ loadBalancers }, arn) => loadBalancers.send(new DeleteRuleCommand({ RuleArn: arn })),
  },
  "ecs service": {
    pattern: /:ecs:[^:]*:[^:]*:service\//,
    named: async ({ ecs }, name, { cluster }) => {
      const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [name] }));
      return services.find(({ status = "" }) => ALIVE.test(status))?.serviceArn;
    },
    exists: async ({ ecs }, arn) => {
      const found = await ecs.send(new DescribeServicesCommand({ cluster: clusterOf(arn), services: [arn] }));
      return (found.services ?? []).some(({ status = "" }) => ALIVE.test(status));
    },
    remove: ({ ecs }, arn) =>
      ecs.send(new DeleteServiceCommand({ cluster: clusterOf(arn), service: arn, force: true })),
  },
  "ecs task": {
    pattern: /:ecs:[^:]*:[^:]*:task\//,
    exists: async ({ ecs }, arn) => {
      const found = await ecs.send(new DescribeTasksCommand({ cluster: clusterOf(arn), tasks: [arn] }));
      // Those of a service go with it.
      return (found.tasks ?? []).some(
        ({ lastStatus, group }) => lastStatus !== "STOPPED" && !group?.startsWith("service:"),
      );
    },
    remove: ({ ecs }, arn) =>
      ecs.send(new StopTaskCommand({ cluster: clusterOf(arn), task: arn, reason: "its preview is gone" })),
  },
  "schedule group": {
    pattern: /:scheduler:[^:]*:[^:]*:schedule-group\//,
    named: async ({ scheduler }, name) => (await scheduler.send(new GetScheduleGroupCommand({ Name: name }))).Arn,
    exists: async ({ scheduler }, arn) =>
      (await scheduler.send(new GetScheduleGroupCommand({ Name: lastPart(arn) }))).State === "ACTIVE",
    remove: ({ scheduler }, arn) => scheduler.send(new DeleteScheduleGroupCommand({ Name: lastPart(arn) })),
  },
  "private name": {
    pattern: /:servicediscovery:[^:]*:[^:]*:service\//,
    named: async ({ discovery }, name, { namespace }) => {
      const Filters = [{ Name: "NAMESPACE_ID" as const, Values: [namespace], Condition: "EQ" as const }];
      for await (const { Services = [] } of paginateListServices({ client: discovery }, { Filters })) {
        const found = Services.find(({ Name }) => Name === name);
        if (found) return found.Arn;
      }
      return undefined;
    },
    exists: async ({ discovery }, arn) =>
      (await discovery.send(new GetServiceCommand({ Id: lastPart(arn) }))).Service !== undefined,
    remove: async ({ discovery }, arn) => {
      const ServiceId = lastPart(arn);
      for await (const { Instances = [] } of paginateListInstances({ client: discovery }, { ServiceId })) {
        for (const { Id } of Instances)
          await discovery.send(new DeregisterInstanceCommand({ ServiceId, InstanceId: Id }));
      }
      await discovery.send(new DeleteDiscoveryCommand({ Id: ServiceId }));
    },
  },
  "target group": {
    pattern: /:elasticloadbalancing:[^:]*:[^:]*:targetgroup\//,
    named: async ({ loadBalancers }, name) =>
      (await loadBalancers.send(new DescribeTargetGroupsCommand({ Names: [name] }))).TargetGroups?.[0]?.TargetGroupArn,
    exists: async ({ loadBalancers }, arn) =>
      some((await loadBalancers.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }))).TargetGroups),
    remove: ({ loadBalancers }, arn) => loadBalancers.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn })),
  },
  "task definition": {
    pattern: /:ecs:[^:]*:[^:]*:task-definition\//,
    exists: async ({ ecs }, arn) => {
      try {
        const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
        return taskDefinition?.status === "ACTIVE";
      } catch (failure) {
        // All that ECS says of one that was deleted.
        if (failure instanceof Error && failure.name === "ClientException") return false;
        throw failure;
      }
    },
    remove: ({ ecs }, arn) => ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: arn })),
  },
  role: {
    pattern: /:iam:[^:]*:[^:]*:role\//,
    named: ({ iam }, name) => findRole(iam, name),
    exists: async ({ iam }, arn) => (await findRole(iam, lastPart(arn))) !== undefined,
    remove: ({ iam }, arn) => removeRole(iam, lastPart(arn)),
  },
  secret: {
    pattern: /:secretsmanager:[^:]*:[^:]*:secret:/,
    named: async ({ secrets }, name) => (await secrets.send(new DescribeSecretCommand({ SecretId: name }))).ARN,
    exists: async ({ secrets }, arn) =>
      (await secrets.send(new DescribeSecretCommand({ SecretId: arn }))).DeletedDate === undefined,
    remove: ({ secrets }, arn) =>
      secrets.send(new DeleteSecretCommand({ SecretId: arn, ForceDeleteWithoutRecovery: true })),
  },
  "log group": {
    pattern: /:logs:[^:]*:[^:]*:log-group:/,
    named: async ({ logs }, name) => {
      const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      return logGroups.find(({ logGroupName }) => logGroupName === name)?.arn?.replace(/:\*$/, "");
    },
    exists: async ({ logs }, arn) => {
      const name = logGroupOf(arn);
      const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      return logGroups.some(({ logGroupName }) => logGroupName === name);
    },
    remove: ({ logs }, arn) => logs.send(new DeleteLogGroupCommand({ logGroupName: logGroupOf(arn) })),
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof kinds;

/** The kinds that have names of their own, which another may have taken. */
export type NamedKind = {
  [K in KindName]: (typeof kinds)[K] extends { readonly named: unknown } ? K : never;
}[KindName];

/** The kind of an ARN; undefined for what no preview owns. */
export function kindOf(arn: string): KindName | undefined {
  return (Object.keys(kinds) as KindName[]).find((name) => kinds[name].pattern.test(arn));
}

/** An answer, or `absent` where AWS says that there is no such thing. */
export async function unlessMissing<T, A>(question: Promise<T>, absent: A): Promise<T | A> {
  try {
    return await question;
  } catch (failure) {
    if (isMissing(failure)) return absent;
    throw failure;
  }
}

function clusterOf(arn: string): string {
  return arn.split("/").at(-2) ?? "";
}

function lastPart(arn: string): string {
  return arn.split("/").at(-1) ?? "";
}

function logGroupOf(arn: string): string {
  return arn.replace(/^.*:log-group:/, "").replace(/:\*$/, "");
}

function some(found: readonly unknown[] | undefined): boolean {
  return (found?.length ?? 0) > 0;
}
