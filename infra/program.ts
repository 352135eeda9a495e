/** The program: one preview's components, chosen by the spec's target. The CLI and the runner run this same one. */
import { type Output, secret } from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { TerminalError } from "../components/errors.ts";
import type {
  DatabaseDriver,
  DnsDriver,
  RouteDefinition,
  SecretDefinition,
  SecretsDriver,
  ServiceDriver,
  TaskDefinition,
} from "../components/ports.ts";
import type { PreviewSpec } from "./spec.ts";
import { registerTags } from "./tags.ts";

/** Drivers by port and name, as `components/registry.ts` exports them. */
export interface Registry {
  readonly service: Readonly<Record<string, () => Promise<ServiceDriver>>>;
  readonly database: Readonly<Record<string, () => Promise<DatabaseDriver>>>;
  readonly dns: Readonly<Record<string, () => Promise<DnsDriver>>>;
  readonly secrets: Readonly<Record<string, () => Promise<SecretsDriver>>>;
}

export interface TargetDrivers {
  readonly service: ServiceDriver;
  readonly database?: DatabaseDriver;
  readonly dns: DnsDriver;
  readonly secrets: SecretsDriver;
}

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
): PulumiFn {
  return async () => {
    registerTags(spec.tags);
    const { stack, tags, target, generations } = spec;
    const secrets = new drivers.secrets.component("secrets", {
      stack,
      tags,
      options: drivers.secrets.options.parse(target.secrets.options),
      secrets: secretDefinitions(spec, grantedValues),
    });
    const database = createDatabase(spec, drivers);
    const service = new drivers.service.component("service", {
      stack,
      tags,
      options: drivers.service.options.parse(target.service.options),
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
        options: drivers.dns.options.parse(target.dns.options),
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

function createDatabase(spec: PreviewSpec, drivers: TargetDrivers) {
  if (!spec.database || !spec.target.database || !drivers.database) return undefined;
  return new drivers.database.component("database", {
    stack: spec.stack,
    tags: spec.tags,
    options: drivers.database.options.parse(spec.target.database.options),
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
