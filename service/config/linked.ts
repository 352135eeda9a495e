/** Services of other repositories in a preview: how `preview.yaml` names them, and what they bring along. Pure. */
import { z } from "zod";
import type { ServiceDefinition } from "../../components/ports.ts";
import type { ApplicationFile, ServiceFile } from "./application-schema.ts";
import type { ApplicationConfig } from "./application-types.ts";
import { closest } from "./closest.ts";
import { emulatorName } from "./emulators.ts";
import type { Misfit } from "./yaml-file.ts";

const alias = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/,
    "must be lower-case letters, digits and dashes, a letter first and no dash last, at most 30 characters",
  );

export const linkedRepositories = z
  .record(alias, z.string().trim().min(1, "must be a repository, is empty").max(300))
  .describe(
    "Other repositories that services come from, by a name for them here: `acme/api`, or what the operator's config calls it.",
  );

/** Keys of a service that is another repository's. */
export const linkedKeys = {
  from: alias
    .optional()
    .describe("Repository that it comes from, of `repositories`: it runs as that one's own preview.yaml says."),
  service: alias.optional().describe("Its name there, where it is another. Default: the same name, else the main one."),
};

/** What may be said of it here; all else its own repository says. */
const SAID_HERE: ReadonlySet<string> = new Set([
  ...["from", "service", "env", "dependsOn", "memoryMiB", "cpu", "startTimeoutSeconds"],
]);
const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/** What the other repositories' own files say, by their names here, with the paths by which people know them. */
export type Others = ReadonlyMap<string, { readonly path: string; readonly application: ApplicationConfig }>;

export interface Linked {
  /** By their names here. */
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  /** Generated secrets that they ask for. */
  readonly secrets: readonly string[];
  readonly misfits: readonly Misfit[];
}

/**
 * The services that come from other repositories. Without `others` nobody has read those yet: what is written here is
 * checked, and each stands for a web service.
 */
export function linkServices({ services, repositories = {} }: ApplicationFile, others?: Others): Linked {
  const entries = Object.entries(services).flatMap(([name, typed]) =>
    typeof typed === "object" && typed.from !== undefined ? [{ name, typed, from: typed.from }] : [],
  );
  const found = entries.map((entry): Found => {
    const faults = faultsOf(entry, repositories);
    const other = others?.get(entry.from);
    return faults.length > 0 || !other ? { ...entry, faults } : { ...entry, ...choose(entry, other) };
  });
  const linked = found.map((one) => (one.theirs ? merged(one, one.theirs, { found, others, services }) : stood(one)));
  return {
    services: new Map(linked.map(({ service }) => [service.name, service])),
    secrets: linked.flatMap(({ secrets }) => secrets),
    misfits: [
      ...found.flatMap(({ faults }) => faults),
      ...linked.flatMap(({ misfits }) => misfits),
      ...strays(services, repositories),
    ],
  };
}

interface Entry {
  readonly name: string;
  readonly typed: ServiceFile;
  readonly from: string;
}

interface Found extends Entry {
  readonly faults: readonly Misfit[];
  readonly theirs?: ServiceDefinition;
}

interface Made {
  readonly service: ServiceDefinition;
  readonly secrets: readonly string[];
  readonly misfits: readonly Misfit[];
}

function faultsOf({ name, typed, from }: Entry, repositories: Readonly<Record<string, string>>): readonly Misfit[] {
  const known = Object.keys(repositories);
  const unknown = known.includes(from)
    ? []
    : [at(name, "from", `is from "${from}", which "repositories" does not name${meant(closest(from, known))}`)];
  const foreign = Object.keys(typed).filter((key) => !SAID_HERE.has(key));
  return [
    ...unknown,
    ...foreign.map((key) => at(name, key, `is from "${from}", whose own preview.yaml says its "${key}"; leave it out`)),
  ];
}

function choose({ name, typed, from }: Entry, { path, application }: Other): Pick<Found, "faults" | "theirs"> {
  const own = application.services.filter((one) => !isEmulator(one.name));
  const wanted = typed.service ?? own.find((one) => one.name === name)?.name ?? application.main;
  const theirs = own.find((one) => one.name === wanted);
  if (!theirs) {
    const names = own.map((one) => one.name);
    const known = closest(wanted, names) ? meant(closest(wanted, names)) : `; there is ${names.join(", ")}`;
    return { faults: [at(name, "service", `is from "${from}", and "${path}" has no service "${wanted}"${known}`)] };
  }
  if (theirs.source === undefined) return { faults: [], theirs };
  const third = `is from "${from}", where "${wanted}" comes from a third repository; name that one under "repositories" here`;
  return { faults: [at(name, "service", third)] };
}

/** As its own repository has it, with what is written here laid over it. */
function merged({ name, typed, from }: Entry, theirs: ServiceDefinition, { found, others, services }: Around): Made {
  const other = others?.get(from);
  const said = texts(typed.env);
  const here = (their: string) => found.find((one) => one.from === from && one.theirs?.name === their)?.name;
  const misfits: Misfit[] = [];
  const rename = (variable: string, value: string) =>
    value.replace(REFERENCE, (text, reference: string | undefined) => {
      const [, their = "", rest = ""] = /^services\.([^.]+)\.(.+)$/.exec(reference ?? "") ?? [];
      if (their === "" || isEmulator(their)) return text;
      const name = here(their);
      if (name !== undefined) return `\${services.${name}.${rest}}`;
      misfits.push(missing(variable, their));
      return "";
    });
  const missing = (variable: string, their: string) => {
    const taken = their in services ? ` (the "${their}" of this file is another one)` : "";
    const way = `take it over too ("from: ${from}", "service: ${their}"), or set ${variable} under "env"`;
    return at(
      name,
      "env",
      `needs "${their}" of "${other?.path}" for ${variable}, which is not taken over${taken}; ${way}`,
    );
  };
  const brought = Object.entries(theirs.environment).filter(([variable]) => !Object.hasOwn(said, variable));
  const environment = Object.fromEntries(brought.map(([variable, value]) => [variable, rename(variable, value)]));
  const used = Object.values(environment).flatMap((value) =>
    [...value.matchAll(REFERENCE)].flatMap(([, reference]) => /^secrets\.(.+)$/.exec(reference ?? "")?.[1] ?? []),
  );
  return {
    service: {
      ...theirs,
      ...pick(typed),
      name,
      source: from,
      environment: { ...environment, ...said },
      dependsOn: typed.dependsOn ?? theirs.dependsOn.flatMap((their) => here(their) ?? []),
    },
    secrets: used.filter((secret) => other?.application.generatedSecrets.includes(secret)),
    misfits,
  };
}

interface Around {
  readonly found: readonly Found[];
  readonly others: Others | undefined;
  readonly services: ApplicationFile["services"];
}

type Other = NonNullable<ReturnType<Others["get"]>>;

/** In place of one that nobody has read. */
function stood({ name, typed, from }: Entry): Made {
  const service: ServiceDefinition = {
    ...{ name, kind: "web", source: from, directory: ".", startTimeoutSeconds: 60, memoryMiB: 512, cpu: 0.5 },
    ...pick(typed),
    environment: texts(typed.env),
    dependsOn: typed.dependsOn ?? [],
    sidecars: [],
  };
  return { service, secrets: [], misfits: [] };
}

function pick({ memoryMiB, cpu, startTimeoutSeconds }: ServiceFile): Partial<ServiceDefinition> {
  return {
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(startTimeoutSeconds === undefined ? {} : { startTimeoutSeconds }),
  };
}

/** What names no repository though it should, and the other way round. */
function strays(services: ApplicationFile["services"], repositories: Readonly<Record<string, string>>): Misfit[] {
  const typed = Object.entries(services).flatMap(([name, one]) => (typeof one === "object" ? [{ name, ...one }] : []));
  const used = new Set(typed.map(({ from }) => from));
  const alone = typed.filter(({ from, service }) => service !== undefined && from === undefined);
  const unused = Object.keys(repositories).filter((name) => !used.has(name));
  return [
    ...alone.map(({ name }) => at(name, "service", '"service" only goes with "from"')),
    ...unused.map((name) => ({
      path: ["repositories", name],
      message: `"repositories" names "${name}", and no service is "from: ${name}"`,
    })),
  ];
}

function isEmulator(name: string): boolean {
  return name.startsWith(emulatorName(""));
}

function at(name: string, key: string, message: string): Misfit {
  return { path: ["services", name, key], message: `service "${name}" ${message}` };
}

function meant(hint: string | undefined): string {
  return hint ? `; did you mean "${hint}"?` : "";
}

function texts(values: ServiceFile["env"]): Record<string, string> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, String(value)]));
}
