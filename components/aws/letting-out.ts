/** What the security groups of previews let out: all that they reach of the network. */
import { paginateDescribeSecurityGroupRules, type SecurityGroupRule } from "@aws-sdk/client-ec2";

import { type Clients, createClients } from "./clients.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { ask } from "./errors.ts";

const ANYWHERE = new Set(["0.0.0.0/0", "::/0"]);
/**
 * A resolver of the operator's own may stand anywhere; the VPC's needs no rule, for security groups do not filter what
 * goes there (Amazon VPC user guide, "Security groups": Amazon DNS is not filtered).
 */
const DNS_PORT = 53;

/** Groups that let out more than what they list, with the rule that does; empty where all of them list. */
export async function openGroups(
  { ec2 }: Pick<Clients, "ec2">,
  { securityGroups }: Pick<EcsOptions, "securityGroups">,
): Promise<readonly string[]> {
  const found = await ask("reading what the previews' security groups let out", async () => {
    const Filters = [{ Name: "group-id", Values: [...securityGroups] }];
    const rules: SecurityGroupRule[] = [];
    for await (const { SecurityGroupRules = [] } of paginateDescribeSecurityGroupRules({ client: ec2 }, { Filters })) {
      rules.push(...SecurityGroupRules);
    }
    return rules;
  });
  return found
    .filter((rule) => rule.IsEgress && isOpen(rule))
    .map(({ GroupId, SecurityGroupRuleId }) => `${GroupId} by ${SecurityGroupRuleId}`);
}

/** Whether nothing leaves previews but to what their groups list; false where AWS does not say. */
export async function enforcesEgress(options: EcsOptions): Promise<boolean> {
  try {
    return (await openGroups(createClients(options), options)).length === 0;
  } catch {
    // `doctor` says why.
    return false;
  }
}

function isOpen({ CidrIpv4, CidrIpv6, FromPort, ToPort }: SecurityGroupRule): boolean {
  const isAnywhere = ANYWHERE.has(CidrIpv4 ?? "") || ANYWHERE.has(CidrIpv6 ?? "");
  return isAnywhere && !(FromPort === DNS_PORT && ToPort === DNS_PORT);
}
