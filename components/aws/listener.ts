/** The shared load balancer as it is: which rules are there, which are ours, how much room is left. */
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  paginateDescribeRules,
  paginateDescribeTargetGroups,
  type Rule,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { StacklingError, TerminalError } from "../errors.ts";
import type { Clients } from "./clients.ts";
import { ask } from "./errors.ts";
import { unlessMissing } from "./kinds.ts";
import { hash, targetGroupName } from "./names.ts";

/** A host that a rule shall lead to a service. */
export interface WishedRule {
  readonly service: string;
  readonly host: string;
}

export interface ListenerState {
  /** Public name of the load balancer. */
  readonly edge: string;
  /** Priority by service: the one it has, else a free one. */
  readonly priorities: Readonly<Record<string, number>>;
}

/** ELB takes 1 to 50,000: API reference, "CreateRule". */
const PRIORITIES = 50_000;

/**
 * Asks the listener and chooses. Errors: `NameTaken` for a host that a rule not of this stack has;
 * `QuotaExceeded` when `maximum` rules or target groups would be passed.
 */
export async function readListener(
  { loadBalancers }: Pick<Clients, "loadBalancers">,
  wish: {
    readonly listener: string;
    readonly maximum: number;
    readonly stack: string;
    readonly rules: readonly WishedRule[];
  },
): Promise<ListenerState> {
  const { listener, maximum, stack } = wish;
  return ask("reading the shared load balancer", async () => {
    const found = await loadBalancers.send(new DescribeListenersCommand({ ListenerArns: [listener] }));
    const arn = found.Listeners?.[0]?.LoadBalancerArn ?? "";
    const [balancers, rules, groups] = await Promise.all([
      loadBalancers.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] })),
      collect(paginateDescribeRules({ client: loadBalancers }, { ListenerArn: listener }), ({ Rules }) => Rules),
      targetGroupsOf(loadBalancers, arn),
    ]);
    const priorities = choosePriorities(rules, wish);
    const missing = wish.rules.filter(({ host }) => !rules.some((rule) => hostsOf(rule).includes(host))).length;
    checkRoom({ what: "rules", used: rules.filter(({ IsDefault }) => !IsDefault).length, missing, maximum });
    const ours = new Set(wish.rules.map(({ service }) => targetGroupName(stack, service)));
    const present = groups.filter(({ TargetGroupName = "" }) => ours.has(TargetGroupName)).length;
    checkRoom({ what: "target groups", used: groups.length, missing: ours.size - present, maximum });
    return { edge: balancers.LoadBalancers?.[0]?.DNSName ?? "", priorities };
  });
}

/**
 * A priority per service: what its host's rule has, else the first free one from a number that follows
 * from stack and service, so that two previews made at once seldom meet. Pure.
 */
export function choosePriorities(
  rules: readonly Rule[],
  { stack, rules: wished }: { readonly stack: string; readonly rules: readonly WishedRule[] },
): Record<string, number> {
  const taken = new Set(rules.map(({ Priority }) => Number(Priority)));
  const chosen: Record<string, number> = {};
  for (const { service, host } of wished) {
    const known = rules.find((rule) => hostsOf(rule).includes(host));
    if (known && !leadsTo(known, targetGroupName(stack, service))) throw notOurs(host);
    const priority = known ? Number(known.Priority) : free(taken, Number.parseInt(hash(`${stack}/${service}`, 8), 16));
    taken.add(priority);
    chosen[service] = priority;
  }
  return chosen;
}

function free(taken: ReadonlySet<number>, from: number): number {
  for (let step = 0; step < PRIORITIES; step += 1) {
    const priority = ((from + step) % PRIORITIES) + 1;
    if (!taken.has(priority)) return priority;
  }
  throw new StacklingError({
    reason: "QuotaExceeded",
    userMessage: "adding a rule to the shared load balancer: every priority is taken",
  });
}

function checkRoom({
  what,
  used,
  missing,
  maximum,
}: {
  readonly what: string;
  readonly used: number;
  readonly missing: number;
  readonly maximum: number;
}): void {
  if (missing === 0 || used + missing <= maximum) return;
  throw new StacklingError({
    reason: "QuotaExceeded",
    userMessage: `adding ${missing} ${what} to the shared load balancer: it has ${used} of ${maximum}; it waits until another preview goes, or raise the quota at AWS and the option "maximum"`,
  });
}

function notOurs(host: string): TerminalError {
  return new TerminalError({
    reason: "NameTaken",
    userMessage: `leading "${host}" to the preview: a rule of the shared load balancer that is not of this preview has that host; remove it, or rename the repository in the config`,
  });
}

/** Names of target groups follow from the stack, so a rule that leads to one of ours is ours. */
function leadsTo({ Actions = [] }: Rule, targetGroup: string): boolean {
  return Actions.some(({ TargetGroupArn, ForwardConfig }) =>
    [TargetGroupArn, ...(ForwardConfig?.TargetGroups ?? []).map((group) => group.TargetGroupArn)].some((arn) =>
      arn?.includes(`:targetgroup/${targetGroup}/`),
    ),
  );
}

function hostsOf({ Conditions = [] }: Rule): readonly string[] {
  return Conditions.filter(({ Field }) => Field === "host-header").flatMap(
    ({ HostHeaderConfig, Values }) => HostHeaderConfig?.Values ?? Values ?? [],
  );
}

/** AWS may answer "none" as "not found". */
async function targetGroupsOf(client: Clients["loadBalancers"], LoadBalancerArn: string) {
  const pages = paginateDescribeTargetGroups({ client }, { LoadBalancerArn });
  return unlessMissing(
    collect(pages, ({ TargetGroups }) => TargetGroups),
    [],
  );
}

async function collect<P, T>(pages: AsyncIterable<P>, items: (page: P) => readonly T[] | undefined): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...(items(page) ?? []));
  return all;
}
