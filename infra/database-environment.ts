/** What a database gives to services beside its URL, such as the address and keys of a Supabase branch. */
import { all, type Output } from "@pulumi/pulumi";
import type { DatabaseComponent, DatabaseDriver, ServiceDefinition } from "../components/ports.ts";

type Values = Output<Readonly<Record<string, string>>>;

/** Its names as variables that refer to them; what the application sets itself stays. */
export function withNames<S extends ServiceDefinition>(
  driver: Pick<DatabaseDriver, "gives"> | undefined,
  service: S,
): S {
  const given = (driver?.gives ?? []).map((name) => [name, `\${secrets.${name}}`]);
  return { ...service, environment: { ...Object.fromEntries(given), ...service.environment } };
}

/** Its values among the preview's own secrets, which keep their names. One that the vendor did not tell is empty. */
export function withValues(
  secrets: Values,
  driver: Pick<DatabaseDriver, "gives"> | undefined,
  database: Pick<DatabaseComponent, "environment"> | undefined,
): Values {
  if (!driver?.gives || !database?.environment) return secrets;
  const empty = Object.fromEntries(driver.gives.map((name) => [name, ""]));
  return all([secrets, database.environment]).apply(([own, given]) => ({ ...empty, ...given, ...own }));
}
