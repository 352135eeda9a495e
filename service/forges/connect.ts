import type { OperatorConfig } from "../config/types.ts";
import type { Forge, ForgeGround } from "./forge.ts";
import { type ForgeName, forges } from "./registry.ts";

/** Always there, so that `up PATH` works beside any configured forge. */
export const LOCAL_FORGE = "local";

/** Every configured forge and the local one, by name. Rejects with `ConfigError` when a credential is missing. */
export async function connectForges(
  config: Pick<OperatorConfig, "forges">,
  groundOf: (name: string) => ForgeGround,
): Promise<ReadonlyMap<string, Forge>> {
  const connected = new Map<string, Forge>();
  const implicit = { name: LOCAL_FORGE, kind: "local", options: {} } as const;
  for (const { name, kind, options } of [implicit, ...config.forges]) {
    connected.set(name, await connectForge(kind, options, groundOf(name)));
  }
  return connected;
}

interface LoadedForge {
  readonly options: { parse(value: unknown): unknown };
  connect(options: unknown, ground: ForgeGround): Promise<Forge>;
}

async function connectForge(kind: ForgeName, options: unknown, ground: ForgeGround): Promise<Forge> {
  const load: () => Promise<LoadedForge> = forges[kind];
  const definition = await load();
  return definition.connect(definition.options.parse(options), ground);
}
