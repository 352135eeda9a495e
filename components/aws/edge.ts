/** `edge: direct`: a target group and a host rule of the shared load balancer for each web service. */
import { ListenerRule } from "@pulumi/aws/lb/listenerRule.js";
import { TargetGroup } from "@pulumi/aws/lb/targetGroup.js";
import { type CustomResourceOptions, type Output, output } from "@pulumi/pulumi";
import type { ServiceDefinition } from "../ports.ts";
import type { directEdge } from "./ecs-options.ts";
import type { ListenerState } from "./listener.ts";
import { targetGroupName } from "./names.ts";

export interface EdgeInput {
  readonly stack: string;
  readonly service: ServiceDefinition;
  readonly host: string;
  readonly direct: NonNullable<ReturnType<typeof directEdge>>;
  readonly state: Output<ListenerState>;
}

/** Previews are few users' and change often: health is asked often, and one good answer is enough. */
const HEALTH = { interval: 10, timeout: 5, healthyThreshold: 2, unhealthyThreshold: 3, matcher: "200-399" };

/**
 * Of the group, in place of each target's own, with which ECS registers it. Another one would replace the
 * group, whose name is taken and which cannot go while its rule is there.
 */
const GROUP_PORT = 80;

/** The target group once its rule is there: ECS refuses one that no listener uses. */
export function addToEdge(
  name: string,
  input: EdgeInput,
  opts: { readonly group: CustomResourceOptions; readonly child: CustomResourceOptions },
): Output<string> {
  const { stack, service, host, direct, state } = input;
  const group = new TargetGroup(
    name,
    {
      name: targetGroupName(stack, service.name),
      targetType: "ip",
      protocol: "HTTP",
      port: GROUP_PORT,
      vpcId: direct.vpc,
      deregistrationDelay: direct.deregistrationSeconds,
      healthCheck: { ...HEALTH, path: service.healthPath ?? "/" },
    },
    opts.group,
  );
  const rule = new ListenerRule(
    name,
    {
      listenerArn: direct.listener,
      priority: state.apply(({ priorities }) => priorities[service.name]),
      conditions: [{ hostHeader: { values: [host] } }],
      actions: [{ type: "forward", targetGroupArn: group.arn }],
    },
    opts.child,
  );
  return output([group.arn, rule.arn]).apply(([arn = ""]) => arn);
}
