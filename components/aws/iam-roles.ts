/** Roles of previews: the tagging API knows none, so their path tells the stack. */
import {
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import { logGroupName } from "./names.ts";

/** Every role below our path, of one stack or of all. */
export async function listRoles(
  iam: IAMClient,
  stack?: string,
): Promise<{ readonly arn: string; readonly stack: string }[]> {
  const PathPrefix = stack === undefined ? "/stackling/" : `${logGroupName(stack)}/`;
  const found: { arn: string; stack: string }[] = [];
  for await (const { Roles = [] } of paginateListRoles({ client: iam }, { PathPrefix })) {
    for (const { Arn, Path = "" } of Roles) {
      const owner = /^\/stackling\/([^/]+)\/$/.exec(Path)?.[1];
      if (Arn !== undefined && owner !== undefined) found.push({ arn: Arn, stack: owner });
    }
  }
  return found;
}

export async function findRole(iam: IAMClient, name: string): Promise<string | undefined> {
  return (await iam.send(new GetRoleCommand({ RoleName: name }))).Role?.Arn;
}

/** With its policies, without which it cannot go. */
export async function removeRole(iam: IAMClient, RoleName: string): Promise<void> {
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of PolicyNames) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  for (const { PolicyArn } of AttachedPolicies) await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  await iam.send(new DeleteRoleCommand({ RoleName }));
}
