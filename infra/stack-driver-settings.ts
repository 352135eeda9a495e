import type { EngineLimits } from "./engine-process.ts";
import type { EngineSettings } from "./engine-variables.ts";

export interface StackDriverSettings extends EngineSettings {
  /** Path of the engine's executable. */
  readonly engine: string;
  /** What encrypts new stacks' secrets, as `pulumi stack init --secrets-provider` takes it; `passphrase` by default. */
  readonly secretsProvider?: string;
  readonly pulumiHome: string;
  /** Throw-away working folders are made here. */
  readonly runsFolder: string;
  /** The engine's environment, whole: PATH, HOME, attached providers, credentials (see `withFileContents`). */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: EngineLimits;
}
