/** What `${…}` in a declared environment stands for, and the order of starting that follows from it. Pure. */
import { TerminalError } from "../errors.ts";
import type { ServiceDefinition } from "../ports.ts";

export interface ReferenceValues {
  readonly databaseUrl?: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Public, by service. */
  readonly urls: Readonly<Record<string, string>>;
  /** Private `host:port`, by service; only of those that were started before. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Further ports by name, by service; of the same services. */
  readonly ports?: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;
}

type Wiring = Pick<ServiceDefinition, "name" | "environment" | "dependsOn">;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/** `environment` with every reference replaced; `$${` stands for itself. Throws `TerminalError` (`SpecInvalid`) for one that means nothing. */
export function resolveEnvironment(
  { name, environment }: Pick<Wiring, "name" | "environment">,
  values: ReferenceValues,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([key, template]) => [
      key,
      template.replace(REFERENCE, (text, reference: string | undefined) => {
        if (reference === undefined) return text.slice(1);
        const value = lookUp(reference, values);
        if (value !== undefined) return value;
        throw invalid(`setting ${key} of service "${name}": reference "\${${reference}}" means nothing here`);
      }),
    ]),
  );
}

/** What a value refers to, as written between the braces. */
export function referencesIn(template: string): string[] {
  return [...template.matchAll(REFERENCE)].flatMap((match) => match[1] ?? []);
}

/** Services whose private address or port the environment asks for, so that they must be there first. */
export function addressesUsed({ environment }: Pick<Wiring, "environment">): string[] {
  const references = Object.values(environment).flatMap(referencesIn);
  return [
    ...new Set(
      references.flatMap((reference) => /^services\.([^.]+)\.(?:address|ports\.[^.]+)$/.exec(reference)?.[1] ?? []),
    ),
  ];
}

/** What must be healthy before a service is started: what it names, and whose address it uses. */
export function dependenciesOf(service: Wiring): string[] {
  return [...new Set([...service.dependsOn, ...addressesUsed(service)])];
}

/**
 * Services with dependencies before dependents; `order` is the length of the longest way down.
 * Throws `TerminalError` (`SpecInvalid`) for an unknown name or a cycle, which it shows.
 */
export function startOrder<S extends Wiring>(
  services: readonly S[],
): { readonly service: S; readonly order: number }[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const orders = new Map<string, number>();
  const visit = (name: string, path: readonly string[]): number => {
    const known = orders.get(name);
    if (known !== undefined) return known;
    if (path.includes(name)) throw invalid(`ordering services: ${[...path, name].join(" → ")} is a cycle`);
    const service = byName.get(name);
    if (!service) throw invalid(`ordering services: "${path.at(-1)}" depends on "${name}", which is not a service`);
    const below = dependenciesOf(service).map((dependency) => visit(dependency, [...path, name]));
    const order = below.length === 0 ? 0 : Math.max(...below) + 1;
    orders.set(name, order);
    return order;
  };
  const ordered = services.map((service) => ({ service, order: visit(service.name, []) }));
  return ordered.sort((a, b) => a.order - b.order);
}

function lookUp(
  reference: string,
  { databaseUrl, secrets, urls, addresses, ports }: ReferenceValues,
): string | undefined {
  if (reference === "database.url") return databaseUrl;
  const secret = /^secrets\.([A-Z][A-Z0-9_]*)$/.exec(reference)?.[1];
  if (secret) return own(secrets, secret);
  const port = /^services\.([a-z][a-z0-9-]*)\.ports\.([a-z][a-z0-9-]*)$/.exec(reference);
  if (port?.[1] && port[2]) return ports?.[port[1]]?.[port[2]]?.toString();
  const service = /^services\.([a-z][a-z0-9-]*)\.(url|address)$/.exec(reference);
  if (!service?.[1]) return undefined;
  return own(service[2] === "url" ? urls : addresses, service[1]);
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function invalid(userMessage: string): TerminalError {
  return new TerminalError({ reason: "SpecInvalid", userMessage });
}
