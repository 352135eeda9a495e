import type { DeployLine, Deployment } from "../../service/deployments/deployment.ts";
import type { Deployments } from "../../service/deployments/deployments.ts";

/** Deployments that a test puts there, for what is about pages and HTTP. */
export function memoryDeployments() {
  const all: Deployment[] = [];
  const said = new Map<string, readonly DeployLine[]>();
  const deployments: Pick<Deployments, "deployments" | "deployment" | "lines"> = {
    deployments: async (key) => all.filter((one) => one.key === key),
    deployment: async (key, id) => all.find((one) => one.key === key && one.id === id),
    async *lines(_key, id, { after }) {
      yield* (said.get(id) ?? []).filter(({ n }) => n > after);
    },
  };
  return {
    ...deployments,
    /** Newest first. */
    put(deployment: Deployment, lines: readonly DeployLine[] = []): void {
      all.unshift(deployment);
      said.set(deployment.id, lines);
    },
  };
}
