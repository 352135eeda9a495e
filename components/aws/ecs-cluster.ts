import { DescribeClustersCommand } from "@aws-sdk/client-ecs";
import { TerminalError } from "../errors.ts";
import type { Clients } from "./clients.ts";
import { ask } from "./errors.ts";

/** The cluster's ARN by its name. Errors: `TargetInvalid` when there is none. */
export async function clusterArn({ ecs }: Pick<Clients, "ecs">, cluster: string): Promise<string> {
  const action = `looking for ECS cluster "${cluster}"`;
  const { clusters = [] } = await ask(action, () => ecs.send(new DescribeClustersCommand({ clusters: [cluster] })));
  const found = clusters.find(({ status }) => status === "ACTIVE")?.clusterArn;
  if (found !== undefined) return found;
  throw new TerminalError({
    reason: "TargetInvalid",
    userMessage: `${action}: there is none of that name in the region`,
  });
}
