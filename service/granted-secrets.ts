import { TerminalError } from "../components/errors.ts";
import { registry } from "../components/registry.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { resolveSecret } from "./secret-reference.ts";

/**
 * Values of a spec's granted secrets by name: those the repository's configuration refers to; none where
 * the target's secrets driver has a store of its own that holds them. Throws `TerminalError`
 * (`SpecInvalid`) for one that the configuration does not name, `StacklingError` (`SecretMissing`) for one
 * that is not where it says.
 */
export async function grantedValues(
  repository: Pick<RepositoryConfig, "secrets">,
  { repository: name, grantedSecrets, target }: PreviewSpec,
): Promise<Record<string, string>> {
  if (await bringsGranted(target.secrets.driver)) return {};
  const values = grantedSecrets.map(async (secret) => {
    const reference = Object.hasOwn(repository.secrets, secret) ? repository.secrets[secret] : undefined;
    if (reference) return [secret, await resolveSecret(reference)] as const;
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `granting the secret "${secret}": the configuration of "${name}" does not name it`,
    });
  });
  return Object.fromEntries(await Promise.all(values));
}

async function bringsGranted(driver: string): Promise<boolean> {
  const drivers: Readonly<Record<string, () => Promise<{ readonly brings?: "granted" }>>> = registry.secrets;
  const load = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined;
  return (await load?.())?.brings === "granted";
}
