/** The program: one preview's components, chosen by the spec's target. The CLI and the runner run this same one. */
import { type ComponentResourceOptions, secret } from "@pulumi/pulumi";
import { DatabaseChanges } from "../components/database/changes.ts";
import type { EgressDefinition } from "../components/egress.ts";
import { TerminalError, toldToEngine } from "../components/errors.ts";
import type {
  DatabaseArgs,
  DatabaseComponent,
  DatabaseDriver,
  DnsArgs,
  DnsComponent,
  RouteDefinition,
  SecretDefinition,
  SecretsArgs,
  SecretsComponent,
  ServiceArgs,
  ServiceComponent,
  ServiceDefinition,
  TaskDefinition,
} from "../components/ports.ts";
import { flagFile, flagVariables } from "../components/service/flags.ts";
import { type BackingDrivers, declareBacking, type Parts, refuseParts, withAddresses, withParts } from "./backing.ts";
import { withNames, withValues } from "./database-environment.ts";
import { commitsOf, linkedSources } from "./linked.ts";
import { mainUrlOf } from "./names.ts";
import type { PreviewSpec } from "./spec.ts";
import { registerTags } from "./tags.ts";
import { telemetryOf } from "./telemetry.ts";

/** What an inline program is to the engine: its result becomes the stack's outputs. */
export type Program = () => Promise<Record<string, unknown>>;

/** The half of a driver that a program needs; what its options are is between its schema and its component. */
interface ProgramDriver<A, C> {
  readonly options: { parse(value: unknown): unknown };
  readonly component: new (name: string, args: A, opts?: ComponentResourceOptions) => C;
}

export interface TargetDrivers {
  readonly service: ProgramDriver<ServiceArgs<never>, ServiceComponent>;
  readonly database?: ProgramDriver<DatabaseArgs<never>, DatabaseComponent> & {
    readonly shares?: (options: never) => readonly TaskDefinition["name"][];
    readonly trustedOnly?: true;
    readonly gives?: readonly string[];
  };
  readonly dns: ProgramDriver<DnsArgs<never>, DnsComponent>;
  readonly secrets: ProgramDriver<SecretsArgs<never>, SecretsComponent> & { readonly brings?: "granted" };
  /** By the operator's name of the server. */
  readonly backing?: BackingDrivers;
}

/** Drivers by port and name, as `components/registry.ts` exports them. */
export type Registry = {
  readonly [P in Exclude<keyof TargetDrivers, "backing">]-?: Readonly<
    Record<string, () => Promise<NonNullable<TargetDrivers[P]>>>
  >;
} & { readonly backing?: Readonly<Record<string, () => Promise<BackingDrivers[string]>>> };

/** What an operator's own module is given: the spec and what the components of this preview resolve to. */
export interface ExtensionContext {
  readonly spec: PreviewSpec;
  readonly secrets: SecretsComponent;
  readonly database: DatabaseComponent | undefined;
  readonly service: ServiceComponent;
  readonly dns: DnsComponent;
}

/**
 * The function `extend` of an operator's own module (`program:` of a target). It runs inside the
 * preview's program after all components are declared: what it creates belongs to the stack and gets its tags, and
 * what it returns becomes outputs, which never replace ours. It is trusted as the config is.
 */
export type Extension = (
  context: ExtensionContext,
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;

/** Loads only what the target names. An unknown name is a `TerminalError` (reason `SpecInvalid`) that lists the known ones. */
export async function loadDrivers(registry: Registry, target: PreviewSpec["target"]): Promise<TargetDrivers> {
  const backing = Object.entries(target.backing ?? {}).map(
    async ([name, { driver }]) => [name, await choose("backing", registry.backing ?? {}, driver)] as const,
  );
  const [service, database, dns, secrets] = await Promise.all([
    choose("service", registry.service, target.service.driver),
    target.database && choose("database", registry.database, target.database.driver),
    choose("dns", registry.dns, target.dns.driver),
    choose("secrets", registry.secrets, target.secrets.driver),
  ]);
  const parts = backing.length > 0 ? { backing: Object.fromEntries(await Promise.all(backing)) } : {};
  return { service, ...(database && { database }), dns, secrets, ...parts };
}

/**
 * Outputs: `spec`, `addresses`, `hosts`, `database`, `databaseIdentity` and `schema` (what migrations made of it), all
 * public. What a component throws while it is declared reaches the engine with its reason.
 */
export function previewProgram(
  spec: PreviewSpec,
  drivers: TargetDrivers,
  grantedValues: Readonly<Record<string, string>>,
  extend?: Extension,
): Program {
  const declare: Program = async () => {
    refuseGrants(spec);
    refuseParts(spec);
    registerTags(spec.tags, spec.stack);
    const { stack, tags, target, generations } = spec;
    const parts = declareBacking(spec, drivers.backing);
    const secrets = new drivers.secrets.component("secrets", {
      stack,
      tags,
      options: optionsOf(drivers.secrets, target.secrets.options),
      secrets: secretDefinitions(spec, drivers, grantedValues),
    });
    const database = createDatabase(spec, drivers);
    const giver = database && drivers.database;
    // Of a database of many nobody could say whose change it is.
    const own = drivers.database?.shares ? undefined : database;
    const changes = own && new DatabaseChanges("schema", { database: own });
    const { name, url, identity } = changes?.database ?? database ?? {};
    const service = new drivers.service.component("service", {
      stack,
      tags,
      options: optionsOf(drivers.service, target.service.options),
      source: spec.source,
      ...(spec.sources && { sources: linkedSources({ ...spec, sources: spec.sources }) }),
      services: spec.services.map((service) => withNames(giver, chosen(spec, pinned(spec, service)))),
      tasks: tasks(spec, drivers),
      ...(spec.checks?.gates.some(({ kind }) => kind === "command") && { gated: true as const }),
      urls: spec.urls,
      ...(name && url && identity && { database: { name, url, identity } }),
      secrets: withParts(withValues(secrets.values, giver, database), parts),
      ...(secrets.references && { secretReferences: secrets.references }),
      environment: environment(spec),
      ...(spec.flags && { flags: flagFile(spec.flags) }),
      ...(spec.egress && { egress: egressOf(spec.egress, parts) }),
      generation: generations.deploy,
    });
    const dns = new drivers.dns.component(
      "routes",
      {
        stack,
        tags,
        options: optionsOf(drivers.dns, target.dns.options),
        routes: routes(spec, service),
      },
      // Not by the service's resources alone: a host is led to what is healthy, and whoever watches the engine
      // takes a route for that.
      { dependsOn: service.addresses.apply(() => service) },
    );
    const version = `${commitsOf(spec).join(" ")} ${generations.deploy}`;
    const schema = changes?.readBehind(service, version);
    database?.released?.(service, version);
    const further = await extend?.({ spec, secrets, database, service, dns });
    const { gate: _once, ...kept } = spec;
    return {
      ...further,
      spec: kept,
      addresses: service.addresses,
      hosts: dns.hosts,
      ...(database && { database: database.name, databaseIdentity: database.identity }),
      ...(schema && { schema }),
    };
  };
  return () => toldToEngine(declare);
}

/** Parsed by the driver's own schema for the driver's own component, which is all that knows their type. */
function optionsOf(driver: { readonly options: { parse(value: unknown): unknown } }, options: unknown): never {
  return driver.options.parse(options) as never;
}

function createDatabase(spec: PreviewSpec, drivers: TargetDrivers) {
  if (!spec.database || !spec.target.database || !drivers.database) return undefined;
  keepFromStrangers(spec, drivers.database);
  return new drivers.database.component("database", {
    stack: spec.stack,
    tags: spec.tags,
    options: optionsOf(drivers.database, spec.target.database.options),
    generation: spec.generations.database,
    rotation: spec.generations.secrets,
    renewed: true,
    ...(spec.database.baseline !== undefined && { baseline: spec.database.baseline }),
  });
}

/** Whoever made the spec: what a stranger's commit is given must not be the operator's. */
function refuseGrants({ untrusted, grantedSecrets: [granted] }: PreviewSpec): void {
  if (!untrusted || granted === undefined) return;
  const userMessage = `granting secret "${granted}": a pull request that is not trusted gets none`;
  throw new TerminalError({ reason: "SpecInvalid", userMessage });
}

/** Throws `TerminalError` where the commit of a stranger would see data that is not for it. */
export function keepFromStrangers(spec: PreviewSpec, { trustedOnly }: Pick<DatabaseDriver, "trustedOnly">): void {
  if (!spec.untrusted || !trustedOnly) return;
  const userMessage = `creating the database of "${spec.stack}": a pull request that is not trusted gets none of the strategy "${spec.target.database?.driver}", which holds data of others`;
  throw new TerminalError({ reason: "SpecInvalid", userMessage });
}

function secretDefinitions(
  spec: PreviewSpec,
  { secrets: { brings } }: TargetDrivers,
  values: Readonly<Record<string, string>>,
): SecretDefinition[] {
  const generation = spec.generations.secrets;
  const generated = spec.generatedSecrets.map((name) => ({ name, generation }));
  const granted = spec.grantedSecrets.map((name): SecretDefinition => {
    if (brings === "granted") return { name, generation, granted: true };
    const value = values[name];
    if (value === undefined) {
      throw new TerminalError({ reason: "SecretMissing", userMessage: `granting secret "${name}": it has no value` });
    }
    return { name, generation, value: secret(value) };
  });
  return [...generated, ...granted];
}

function tasks(spec: PreviewSpec, { database }: TargetDrivers): TaskDefinition[] {
  const { gate, database: { migrate, seed } = {} } = spec;
  // What answers at the main link carries the application's own tools.
  const main = spec.services.find(({ name }) => name === Object.keys(spec.urls)[0]) ?? spec.services[0];
  const own = main?.source === undefined ? main : spec.services.find(({ source }) => source === undefined);
  const image = own && pinned(spec, own).image;
  const inImage = image === undefined ? {} : { image };
  // On a database of many, what is run is the operator's to say.
  const run = database?.shares?.(optionsOf(database, spec.target.database?.options));
  const all = [
    ...(migrate ? [{ name: "migrate" as const, ...migrate, ...inImage, generation: spec.generations.deploy }] : []),
    ...(seed ? [{ name: "seed" as const, ...seed, ...inImage, generation: spec.generations.seed }] : []),
  ];
  const due = all.filter(({ name }) => run?.includes(name) ?? true);
  if (!gate || !main) return due;
  const { run: generation, ...command } = gate;
  const environment = { STACKLING_ADDRESS: `http://\${services.${main.name}.address}` };
  return [...due, { name: "gate", ...command, ...inImage, generation, environment }];
}

/** The service with its images as they were found at the registry. */
function pinned<S extends ServiceDefinition>({ images = {} }: PreviewSpec, service: S): S {
  const pin = <I extends { readonly image?: string }>(part: I): I =>
    part.image === undefined ? part : { ...part, image: images[part.image] ?? part.image };
  return { ...pin(service), sidecars: service.sidecars.map(pin) };
}

/** With the variables of this preview's choices; as declared, so that migrations and seeds get them too. */
function chosen<S extends ServiceDefinition>({ flags = {}, database }: PreviewSpec, service: S): S {
  const scenario = database?.scenario === undefined ? {} : { SEED_SCENARIO: database.scenario };
  const named = { OTEL_SERVICE_NAME: service.name };
  return { ...service, environment: { ...named, ...flagVariables(flags), ...scenario, ...service.environment } };
}

function egressOf({ hosts, trusted, direct }: NonNullable<PreviewSpec["egress"]>, parts: Parts): EgressDefinition {
  return { hosts, trusted, direct: withAddresses(direct, parts) };
}

function environment(spec: PreviewSpec): Record<string, string> {
  const main = mainUrlOf(spec.key, spec.urls);
  return {
    STACKLING_KEY: spec.key,
    STACKLING_COMMIT: spec.source.commit,
    STACKLING_GIT_BRANCH: spec.gitBranch,
    ...telemetryOf(spec, { ...spec, commit: spec.source.commit }),
    ...(spec.egress && { STACKLING_EGRESS: "listed" }),
    ...(main !== undefined && { STACKLING_URL: main }),
    ...(spec.login?.key !== undefined && { STACKLING_LOGIN_KEY: spec.login.key }),
    ...(spec.oauthCallback !== undefined && {
      STACKLING_OAUTH_CALLBACK: spec.oauthCallback,
      STACKLING_OAUTH: `${main}/.stackling/oauth`,
    }),
  };
}

function routes(spec: PreviewSpec, { addresses, edge }: ServiceComponent): RouteDefinition[] {
  return Object.entries(spec.urls).map(([service, url]) => ({
    host: new URL(url).host,
    service,
    ...(edge && { edge }),
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
