/** What `doctor` finds out about an account with calls that change nothing. */

import { DescribeClustersCommand } from "@aws-sdk/client-ecs";
import { DescribeListenersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import { GetResourcesCommand } from "@aws-sdk/client-resource-groups-tagging-api";
import { GetNamespaceCommand } from "@aws-sdk/client-servicediscovery";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { StacklingError } from "../errors.ts";
import type { Finding } from "../ports.ts";
import type { Account } from "./account.ts";
import { STACK_TAG } from "./claim.ts";
import { type Clients, createClients } from "./clients.ts";
import { directEdge, type EcsOptions } from "./ecs-options.ts";
import { ask } from "./errors.ts";
import { openGroups } from "./letting-out.ts";
import { stacklingPolicy } from "./policy.ts";

/** Cluster, namespace, listener, tags and our own rights. */
export async function checkEcs(options: EcsOptions): Promise<readonly Finding[]> {
  return withAccount(options, async (clients, identity) => [
    await finding(`ECS cluster "${options.cluster}"`, () => checkCluster(clients, options)),
    await finding(`Cloud Map namespace "${options.namespace.name}"`, () => checkNamespace(clients, options)),
    ...(directEdge(options)
      ? [await finding("the shared load balancer's listener", () => checkListener(clients, options))]
      : []),
    await finding("finding things by their tags", () =>
      clients.tagging.send(new GetResourcesCommand({ TagFilters: [{ Key: STACK_TAG }], ResourcesPerPage: 1 })),
    ),
    await checkEgress(clients, options),
    await checkRights(clients, identity, options),
  ]);
}

async function checkEgress(clients: Clients, options: EcsOptions): Promise<Finding> {
  const what = "the previews' security groups let out what they list and nothing else";
  const found = await finding(what, async () => {
    const open = await openGroups(clients, options);
    return open.length > 0 ? `egress advisory: anything is let out, of ${open.join(", ")}` : undefined;
  });
  if (found.ok) return found;
  const remedy = "let the groups out to the proxy, the database and AWS' own endpoints alone (docs/targets.md, ECS)";
  return { ...found, remedy };
}

/** Signs in first: without it every other answer would say the same. */
export async function withAccount(
  account: Account,
  more: (clients: Clients, identity: { readonly arn: string; readonly account: string }) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    const clients = createClients(account);
    const identity = await ask("signing in at AWS", () => clients.sts.send(new GetCallerIdentityCommand({})));
    const { Arn: arn = "", Account: number = "" } = identity;
    const signedIn = { ok: true, what: `signed in at AWS as "${arn.split(":").at(-1)}" in ${account.region}` };
    return [signedIn, ...(await more(clients, { arn, account: number }))];
  } catch (failure) {
    if (!(failure instanceof StacklingError)) throw failure;
    return [
      { ok: false, what: failure.userMessage, remedy: "correct the options `credentials`, `assumeRole` and `region`" },
    ];
  }
}

/** `what` is fine unless the question fails or answers with words. */
export async function finding(what: string, question: () => Promise<unknown>): Promise<Finding> {
  try {
    const fault = await ask(`looking at ${what}`, question);
    if (typeof fault !== "string") return { ok: true, what };
    return { ok: false, what: `${what}: ${fault}`, remedy: "correct it at AWS or in the target's options" };
  } catch (failure) {
    if (!(failure instanceof StacklingError)) throw failure;
    const denied = failure.reason === "TargetForbidden";
    return {
      ok: false,
      what: failure.userMessage,
      remedy: denied ? "add it to the policy of Stackling's role (docs/targets.md)" : "correct the target's options",
    };
  }
}

async function checkCluster({ ecs }: Clients, { cluster, capacity }: EcsOptions): Promise<string | undefined> {
  const { clusters = [] } = await ecs.send(new DescribeClustersCommand({ clusters: [cluster] }));
  const found = clusters.find(({ status }) => status === "ACTIVE");
  if (!found) return "there is none of that name in the region";
  const provider = capacity === "spot" ? "FARGATE_SPOT" : "FARGATE";
  return found.capacityProviders?.includes(provider) ? undefined : `it has no capacity provider "${provider}"`;
}

async function checkNamespace({ discovery }: Clients, { namespace }: EcsOptions): Promise<string | undefined> {
  const { Namespace } = await discovery.send(new GetNamespaceCommand({ Id: namespace.id }));
  if (Namespace?.Name !== namespace.name) return `"${namespace.id}" is called "${Namespace?.Name}"`;
  return Namespace.Type === "DNS_PRIVATE" ? undefined : "it is not a private DNS namespace";
}

async function checkListener({ loadBalancers }: Clients, options: EcsOptions): Promise<string | undefined> {
  const listener = directEdge(options)?.listener ?? "";
  const { Listeners = [] } = await loadBalancers.send(new DescribeListenersCommand({ ListenerArns: [listener] }));
  if (!Listeners[0]) return "it is not there";
  return Listeners[0].Protocol === "HTTPS" ? undefined : "it does not speak HTTPS";
}

/**
 * AWS' own answer to "may they?", statement by statement of the policy that docs give. Asking takes
 * `iam:SimulatePrincipalPolicy`, without which nothing is said against the rights.
 */
async function checkRights(
  { iam }: Clients,
  { arn, account }: { readonly arn: string; readonly account: string },
  options: EcsOptions,
): Promise<Finding> {
  const what = "permissions at AWS";
  const { region, cluster, permissionsBoundary, taskPolicies } = options;
  const listenerArn = directEdge(options)?.listener;
  const [, partition = "aws"] = arn.split(":");
  const policy = stacklingPolicy({
    accountId: account,
    region,
    partition,
    cluster,
    taskPolicies,
    ...(permissionsBoundary !== undefined && { permissionsBoundary }),
    ...(listenerArn !== undefined && { listenerArn }),
  });
  const denied: string[] = [];
  try {
    for (const { Action, Resource, Condition = {} } of policy.Statement) {
      const context = Object.values(Condition).flatMap((keys) => Object.entries(keys));
      const question = new SimulatePrincipalPolicyCommand({
        PolicySourceArn: roleOf(arn),
        ActionNames: [...Action],
        ResourceArns: [...Resource],
        ContextEntries: context.map(([ContextKeyName, value]) => ({
          ContextKeyName,
          ContextKeyType: "string",
          ContextKeyValues: [value].flat().slice(0, 1),
        })),
      });
      for (const { EvalActionName, EvalDecision } of (await iam.send(question)).EvaluationResults ?? []) {
        if (EvalActionName !== undefined && EvalDecision !== "allowed") denied.push(EvalActionName);
      }
    }
  } catch {
    return { ok: true, what: `${what} could not be asked for; each is named when it lacks` };
  }
  if (denied.length === 0) return { ok: true, what };
  const names = [...new Set(denied)].sort().join('", "');
  return {
    ok: false,
    what: `${what}: "${names}" lack`,
    remedy: "add them to the policy of Stackling's role (docs/targets.md)",
  };
}

/** A session's ARN names its role but is none: IAM user guide, "IAM identifiers". */
function roleOf(arn: string): string {
  return arn.replace(/:sts:([^:]*):([^:]*):assumed-role\/([^/]+)\/.*$/, ":iam:$1:$2:role/$3");
}
