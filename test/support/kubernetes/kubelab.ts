/** The control plane of `tools/kubelab`: built once per user, started per suite. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { z } from "zod";
import { goLab } from "../go-lab.ts";

export interface Kubelab {
  /** Path of a kubeconfig for an administrator. */
  readonly kubeconfig: string;
  /** URL of the API server, on loopback. */
  readonly server: string;
  /** `v1.36.3` */
  readonly version: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const modules = readFileSync(new URL("../../../tools/kubelab/go.mod", import.meta.url), "utf8");
const version = /k8s\.io\/kubernetes (v\S+)/.exec(modules)?.[1] ?? "";
const [major, minor] = version.slice(1).split(".");
const told = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor });

const lab = goLab({
  name: "kubelab",
  building: "building a Kubernetes control plane for tests with Go (once, some minutes)",
  flags: told.map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`),
});
const line = z.object({ kubeconfig: z.string(), server: z.string(), pid: z.number() });

/** Why this machine has no control plane to test on; undefined when it is built or can be. Builds nothing. */
export function kubelabFault(): string | undefined {
  return process.env.STACKLING_TEST_KUBELAB ? undefined : lab.fault();
}

/** The one that `npm run test:kubernetes` started for all its files, else one of the caller's own. */
export async function useKubelab(): Promise<Kubelab> {
  const shared = process.env.STACKLING_TEST_KUBELAB;
  if (!shared) return startKubelab();
  return { ...(JSON.parse(shared) as Omit<Kubelab, "stop">), stop: async () => {} };
}

/** Builds it first where that was not done yet. It ends with this process at the latest. */
export async function startKubelab(): Promise<Kubelab> {
  const running = await lab.start();
  return { ...line.parse(running.told), version, stop: running.stop };
}
