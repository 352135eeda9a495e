import type { Logger } from "pino";
import { layout } from "../components/local/layout.ts";
import type { PolicyOptions } from "../components/policy/rules.ts";
import type { Engine } from "../infra/engine.ts";
import { createRunner, type RunnerLimits } from "../infra/runner.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { OperatorConfig } from "./config/types.ts";
import { engineEnvironment } from "./engine-environment.ts";

export interface StacksOptions {
  readonly config: OperatorConfig;
  /** Absolute. */
  readonly dataDir: string;
  /** Admin URL of the server for preview databases; secret. */
  readonly adminUrl?: string;
  readonly logger: Logger;
  /** In place of the runner's own, for tests. */
  readonly runnerLimits?: Partial<RunnerLimits>;
}

/** The backend, and the pool of engines over it. */
export function startStacks(options: StacksOptions, engine: Engine): Promise<Stacks> {
  const { config, dataDir, adminUrl, logger } = options;
  const paths = layout(dataDir);
  return createRunner({
    dataDir,
    backendUrl: config.backend ?? `file://${paths.state}`,
    passphraseFile: paths.passphrase,
    engine: engine.command,
    size: config.limits.engineRuns,
    ...(config.secretsProvider === undefined ? {} : { secretsProvider: config.secretsProvider }),
    ...(config.policy === undefined ? {} : { policy: policyOptions(config.policy, config) }),
    environment: engineEnvironment(config),
    providerSettings: {
      dataDir,
      ...(adminUrl === undefined ? {} : { adminUrl }),
      checkout: { files: config.limits.checkoutFiles, mebibytes: config.limits.checkoutMiB },
    },
    ...(options.runnerLimits ? { limits: options.runnerLimits } : {}),
    logger,
  });
}

/** A preview's limit is also the most that one of its services may ask for. */
function policyOptions(level: PolicyOptions["level"], { images, limits }: OperatorConfig): PolicyOptions {
  const { memoryMiB, cpu } = limits;
  return { level, ...(images.registries && { registries: images.registries }), ceiling: { memoryMiB, cpu } };
}
