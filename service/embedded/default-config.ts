import { registry } from "../../components/registry.ts";
import { DEFAULT_PORT, defaultImages, defaultLifecycle, defaultLimits } from "../config/defaults.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import { resolveTarget } from "../config/targets.ts";
import type { OperatorConfig } from "../config/types.ts";

/** The configuration of an instance that was given none: this machine, `*.localhost`, local repositories. */
export async function embeddedConfig({
  port = DEFAULT_PORT,
  dataDir,
  repositories,
}: {
  readonly dataDir: string;
  readonly port?: number;
  readonly repositories: readonly RepositoryConfig[];
}): Promise<OperatorConfig> {
  const { target, misfits } = await resolveTarget("local", {}, { registry, dataDir });
  if (!target) throw new Error(`preparing the local target: ${misfits.map((m) => m.message).join("; ")}`);
  return {
    forges: [{ name: "local", kind: "local", options: {} }],
    repositories,
    targets: [target],
    domain: `localhost:${port}`,
    scheme: "http",
    host: "127.0.0.1",
    port,
    images: defaultImages,
    limits: defaultLimits,
    lifecycle: defaultLifecycle,
    comments: "full",
  };
}

export function localRepository(name: string, path: string): RepositoryConfig {
  return { name, forge: "local", path, target: "local", branches: ["**"], secrets: {}, tags: {} };
}
