import { withFileContents } from "../components/credential.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { OperatorConfig } from "./config/types.ts";
import { engineEnvironment } from "./engine-environment.ts";
import type { Preview } from "./status.ts";

/** What a person's own `pulumi` needs to run as ours do on one preview. Holds secrets. */
export interface EngineByHand {
  /** Pulumi backend URL; absent: the data folder's. */
  readonly backend?: string;
  /** Variables that engines get: credentials of backend and targets. */
  readonly environment: Readonly<Record<string, string>>;
  /** As the stack holds it; absent before its first update. */
  readonly spec?: PreviewSpec;
  /** Values of the spec's granted secrets by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface EngineByHandDeps {
  readonly stacks: Pick<Stacks, "outputs">;
  readonly config: Pick<OperatorConfig, "backend" | "engineEnvironment" | "targets">;
  readonly resolveSecrets: (spec: PreviewSpec) => Promise<Readonly<Record<string, string>>>;
}

/** The spec is read from where the stack is, not from the store: what is there now, not what is wished. */
export function createEngineByHand({ stacks, config, resolveSecrets }: EngineByHandDeps) {
  return async ({ stack }: Pick<Preview, "stack">): Promise<EngineByHand> => {
    const spec = (await stacks.outputs(stack))?.spec as PreviewSpec | undefined;
    return {
      ...(config.backend !== undefined && { backend: config.backend }),
      environment: await withFileContents(engineEnvironment(config)),
      ...(spec && { spec }),
      secrets: spec ? await resolveSecrets(spec) : {},
    };
  };
}
