import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import type { PolicyOptions } from "../components/policy/rules.ts";
import { EXECUTABLES } from "./executables.ts";

export interface EngineSettings {
  readonly backendUrl: string;
  readonly passphraseFile: string;
  /** What the machine gives it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What its resources must never be; absent: anything goes. */
  readonly policy?: PolicyOptions;
}

/** What every engine of ours is told in its environment, above what the machine gives it. */
export function engineVariables(settings: EngineSettings): Record<string, string> {
  const { backendUrl, passphraseFile, environment, policy } = settings;
  return {
    // It looks for our programs also where the provider is attached, and would ask the network for them.
    ...(environment && { PATH: [...EXECUTABLES, environment.PATH].join(delimiter) }),
    ...(policy && { STACKLING_POLICY: JSON.stringify(policy) }),
    PULUMI_BACKEND_URL: backendUrl,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
    // The salt lies in the state; the stack's config file is thrown away with the working folder.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_CI_DETECTION: "true",
    // A copy of every finished state: the history holds it already.
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    PULUMI_LOG_ROTATION_MAX_TOTAL_MB: "50",
  };
}

/** The policy pack as `up` takes it. */
export function policyPacks({ policy }: Pick<EngineSettings, "policy">): { readonly policyPacks?: string[] } {
  return policy ? { policyPacks: [fileURLToPath(new URL("../components/policy", import.meta.url))] } : {};
}
