/** The program: one preview's components, chosen by the spec's target. The CLI and the runner run this same one. */
import { type ComponentResourceOptions, type Output, secret } from "@pulumi/pulumi";
import { TerminalError } from "../components/errors.ts";
import type {
  DatabaseArgs,
  DatabaseComponent,
  DnsArgs,
  DnsComponent,
  RouteDefinition,
  SecretDefinition,
  SecretsArgs,
  SecretsComponent,
  ServiceArgs,
  ServiceComponent,
  TaskDefinition,
} from "../components/ports.ts";
import type { PreviewSpec } from "./spec.ts";
import { registerTags } from "./tags.ts";

/** What an inline program is to the engine: its result becomes the stack's outputs. */
export type Program = () => Promise<Record<string, unknown>>;

/** The half of a driver that a program needs; what its options are is between its schema and its component. */
interface Driver<A, C> {
  readonly options: { parse(value: unknown): unknown };
  readonly component: new (name: string, args: A, opts?: ComponentResourceOptions) => C;
}

export interface TargetDrivers {
  readonly service: Driver<ServiceArgs<never>, ServiceComponent>;
  readonly database?: Driver<DatabaseArgs<never>, DatabaseComponent>;
  readonly dns: Driver<DnsArgs<never>, DnsComponent>;
  readonly secrets: Driver<SecretsArgs<never>, SecretsComponent>;
}

/** Drivers by port and name, as `components/registry.ts` exports them. */
export type Registry = {
  readonly [P in keyof TargetDrivers]-?: Readonly<Record<string, () => Promise<NonNullable<TargetDrivers[P]>>>>;
};

/** Loads only what the target names. An unknown name is a `TerminalError` (reason `SpecInvalid`) that lists the known ones. */
export async function loadDrivers(registry: Registry, target: PreviewSpec["target"]): Promise<TargetDrivers> {
  const [service, database, dns, secrets] = await Promise.all([
    choose("service", registry.service, target.service.driver),
    target.database && choose("database", registry.database, target.database.driver),
    choose("dns", registry.dns, target.dns.driver),
    choose("secrets", registry.secrets, target.secrets.driver),
  ]);
  return { service, ...(database && { database }), dns, secrets };
}

/** Outputs: `spec`, `addresses`, `hosts`, `database` and `databaseIdentity`, all public. */
export function previewProgram(
  spec: PreviewSpec,
  drivers: TargetDrivers,
  grantedValues: Readonly<Record<string, string>>,
): Program {
  return async () => {
    registerTags(spec.tags);
    const { stack, tags, target, generations } = spec;
    const secrets = new drivers.secrets.component("secrets", {
      stack,
      tags,
      options: optionsOf(drivers.secrets, target.secrets.options),
      secrets: secretDefinitions(spec, grantedValues),
    });
    const database = createDatabase(spec, drivers);
    const service = new drivers.service.component("service", {
      stack,
      tags,
      options: optionsOf(drivers.service, target.service.options),
      source: spec.source,
      services: spec.services,
      tasks: tasks(spec),
      urls: spec.urls,
      ...(database && { database: { name: database.name, url: database.url, identity: database.identity } }),
      secrets: secrets.values,
      environment: environment(spec),
      generation: generations.deploy,
    });
    const dns = new drivers.dns.component(
      "routes",
      {
        stack,
        tags,
        options: optionsOf(drivers.dns, target.dns.options),
        routes: routes(spec, service.addresses),
      },
      { dependsOn: service },
    );
    return {
      spec,
      addresses: service.addresses,
      hosts: dns.hosts,
      ...(database && { database: database.name, databaseIdentity: database.identity }),
    };
  };
}

/** Parsed by the driver's own schema for the driver's own component, which is all that knows their type. */
function optionsOf(driver: { readonly options: { parse(value: unknown): unknown } }, options: unknown): never {
  return driver.options.parse(options) as never;
}

function createDatabase(spec: PreviewSpec, drivers: TargetDrivers) {
  if (!spec.database || !spec.target.database || !drivers.database) return undefined;
  return new drivers.database.component("database", {
    stack: spec.stack,
    tags: spec.tags,
    options: optionsOf(drivers.database, spec.target.database.options),
    generation: spec.generations.database,
    ...(spec.database.baseline !== undefined && { baseline: spec.database.baseline }),
  });
}

function secretDefinitions(spec: PreviewSpec, values: Readonly<Record<string, string>>): SecretDefinition[] {
  const generation = spec.generations.secrets;
  const generated = spec.generatedSecrets.map((name) => ({ name, generation }));
  const granted = spec.grantedSecrets.map((name) => {
    const value = values[name];
    if (value === undefined) {
      throw new TerminalError({ reason: "SecretMissing", userMessage: `granting secret "${name}": it has no value` });
    }
    return { name, generation, value: secret(value) };
  });
  return [...generated, ...granted];
}

function tasks(spec: PreviewSpec): TaskDefinition[] {
  const { migrate, seed } = spec.database ?? {};
  return [
    ...(migrate ? [{ name: "migrate" as const, ...migrate, generation: spec.generations.deploy }] : []),
    ...(seed ? [{ name: "seed" as const, ...seed, generation: spec.generations.seed }] : []),
  ];
}

function environment(spec: PreviewSpec): Record<string, string> {
  const main = Object.values(spec.urls)[0];
  return {
    STACKLING_KEY: spec.key,
    STACKLING_COMMIT: spec.source.commit,
    STACKLING_GIT_BRANCH: spec.gitBranch,
    ...(main !== undefined && { STACKLING_URL: main }),
  };
}

function routes(spec: PreviewSpec, addresses: Output<Readonly<Record<string, string>>>): RouteDefinition[] {
  return Object.entries(spec.urls).map(([service, url]) => ({
    host: new URL(url).host,
    service,
    address: addresses.apply((known) => {
      const address = known[service];
      if (address === undefined) throw new Error(`routing "${url}": service "${service}" has no address`);
      return address;
    }),
  }));
}

async function choose<D>(port: string, drivers: Readonly<Record<string, () => Promise<D>>>, name: string): Promise<D> {
  const load = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (load) return load();
  const known = Object.keys(drivers).join('", "');
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `choosing the ${port} driver: "${name}" is not one of "${known}"`,
  });
}
