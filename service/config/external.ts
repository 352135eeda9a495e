/** `external` of preview.yaml: services of others, what they are in each place, and which keys previews get for them. */
import { z } from "zod";
import type { ServiceDefinition } from "../../components/ports.ts";
import type { ExternalService } from "./application-types.ts";
import { closest } from "./closest.ts";
import { externalHosts } from "./egress.ts";
import {
  addressNames,
  addressVariables,
  emulatedFaults,
  emulatedKeys,
  emulatorService,
  inboxPath,
} from "./emulators.ts";
import { ownFaults, ownKeys, ownVariables, toOwnPart } from "./own-parts.ts";
import { variableName as variable } from "./scalars.ts";
import type { Misfit } from "./yaml-file.ts";

const mode = z
  .enum(["sandbox", "emulated", "own", "shared", "off"])
  .describe(
    "What it is in previews. `sandbox`: a place of its own for trying out, with test keys. `emulated`: a program of each preview's own that plays it. `own`: a part of the preview's own, with a login of its own, of a server that the operator names. `shared`: the one that development uses too. `off`: nothing; it gets no keys.",
  );

const secret = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "must be capital letters, digits and underscores, a letter first");

const date = z.iso.date("must be a date such as 2027-03-01");

const external = z.union([
  z.strictObject({
    mode,
    secrets: z
      .union([z.array(secret), z.record(variable, secret)])
      .optional()
      .describe(
        "Its keys, of those that the operator's config gives: a list of names, or variable to name where the two differ.",
      ),
    env: z
      .record(variable, z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe("Its further environment variables, such as an address; also where it is off."),
    services: z
      .array(z.string())
      .min(1, "must hold a service")
      .optional()
      .describe("Which services get them. Default: every one."),
    ...emulatedKeys,
    ...ownKeys,
    hosts: externalHosts,
    production: z.string().trim().min(1).optional().describe("What it is in production, in words."),
    development: z.string().trim().min(1).optional().describe("What it is where people develop, in words."),
    review: date.optional().describe("Day on which somebody is to look at this entry again, such as `2027-03-01`."),
  }),
  mode,
]);

export const externalSchema = z
  .record(
    z
      .string()
      .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be lower-case letters, digits and dashes, a letter first"),
    external,
  )
  .describe(
    "Services of others by name, each with its mode in previews. With it, a secret that none of them names has no way into a preview.",
  );

export type ExternalFile = z.infer<typeof externalSchema>;

/** What preview.yaml holds that external services have to do with, as typed. */
export interface AroundExternal {
  readonly external?: ExternalFile | undefined;
  readonly secrets?: Readonly<Record<string, "generated" | "granted">> | undefined;
  readonly env?: Readonly<Record<string, unknown>> | undefined;
  readonly services: Readonly<
    Record<string, string | { readonly env?: Readonly<Record<string, unknown>> | undefined }>
  >;
}

export function toExternal(file: ExternalFile): readonly ExternalService[] {
  return Object.entries(file).map(([name, typed]) => {
    const { mode: chosen, production, development, review, hosts, ...rest } = wholeOf(typed);
    const inbox = chosen === "emulated" ? inboxPath(name, rest) : undefined;
    return {
      name,
      mode: chosen,
      secrets: secretsOf(rest),
      ...(hosts ? { hosts } : {}),
      ...(inbox === undefined ? {} : { inbox }),
      ...(chosen === "own" ? { own: toOwnPart(name, rest) } : {}),
      ...(production === undefined ? {} : { production }),
      ...(development === undefined ? {} : { development }),
      ...(review === undefined ? {} : { review }),
    };
  });
}

/** A service of the application's own for each that is emulated. */
export function emulatorServices(file: ExternalFile | undefined): readonly ServiceDefinition[] {
  return Object.entries(file ?? {}).flatMap(([name, typed]) => {
    const whole = wholeOf(typed);
    return whole.mode === "emulated" ? [emulatorService(name, whole)] : [];
  });
}

/** Variables that one service of the application gets; keys as references to the secrets that hold them. */
export function externalVariables(file: ExternalFile | undefined, service: string): Record<string, string> {
  const entries = Object.entries(file ?? {}).flatMap(([external, typed]) => {
    const { mode: chosen, services, env = {}, ...rest } = wholeOf(typed);
    if (services && !services.includes(service)) return [];
    const keys = takesKeys(chosen) ? Object.entries(secretsOf(rest)) : [];
    const addresses = chosen === "emulated" ? addressVariables(external, rest) : {};
    return [
      ...Object.entries(addresses),
      ...Object.entries(chosen === "own" ? ownVariables(external, rest) : {}),
      ...keys.map(([name, held]) => [name, `\${secrets.${held}}`] as const),
      ...Object.entries(env).map(([name, value]) => [name, String(value)] as const),
    ];
  });
  return Object.fromEntries(entries);
}

/**
 * Of the secrets that are granted or named by external services: those that an environment refers to. What is off
 * gets none, and what nobody refers to stays outside.
 */
export function secretsToGrant(
  granted: readonly string[],
  external: readonly ExternalService[],
  services: readonly Pick<ServiceDefinition, "environment">[],
): readonly string[] {
  const used = new Set(
    services.flatMap(({ environment }) =>
      Object.values(environment).flatMap((value) =>
        [...value.matchAll(/\$\{secrets\.([A-Z0-9_]+)\}/g)].map(([, name = ""]) => name),
      ),
    ),
  );
  const live = external.filter(({ mode: chosen }) => takesKeys(chosen)).flatMap(namesOf);
  const off = external.flatMap(namesOf).filter((name) => !live.includes(name));
  const named = [...granted.filter((name) => !off.includes(name)), ...live];
  return [...new Set(named)].filter((name) => used.has(name));
}

/** How they fit each other and the rest of the file. */
export function checkExternal({ external: file, secrets = {}, env = {}, services }: AroundExternal): readonly Misfit[] {
  if (!file) return [];
  const setters = new Map(Object.keys(env).map((name) => [name, '"env"']));
  for (const [name, typed] of Object.entries(services)) {
    const own = typeof typed === "string" ? {} : (typed.env ?? {});
    for (const key of Object.keys(own)) setters.set(key, `service "${name}"`);
  }
  const entries = Object.entries(file).flatMap(([name, typed]) => {
    const { env: own = {}, services: chosen = [], mode: how, ...rest } = wholeOf(typed);
    const at = (key: string, message: string): Misfit => ({
      path: ["external", name, key],
      message: `external "${name}" ${message}`,
    });
    const keys = secretsOf(rest);
    const given = [...addressNames(rest), ...Object.keys(rest.values ?? {}), ...Object.keys(keys), ...Object.keys(own)];
    const misfits = given.flatMap((key) => {
      const other = setters.get(key);
      setters.set(key, `external "${name}"`);
      return other === undefined ? [] : [at("secrets", `sets ${key}, and so does ${other}; leave one of them out`)];
    });
    const made = Object.values(keys).filter((secretName) => secrets[secretName] === "generated");
    const strange = chosen.filter((service) => !Object.hasOwn(services, service));
    return [
      ...misfits,
      ...ownFaults(how, rest).map(([key, fault]) => at(key, fault)),
      ...made.map((key) => at("secrets", `wants ${key} of the operator, but "secrets" has it generated`)),
      ...(how === "emulated"
        ? emulatedFaults(name, rest, (service) => Object.hasOwn(services, service)).map(([key, fault]) =>
            at(key, fault),
          )
        : []),
      ...strange.map((service) => at("services", `names "${service}", which is no service${meant(service, services)}`)),
    ];
  });
  const named = new Set(toExternal(file).flatMap(namesOf));
  const unnamed = Object.entries(secrets).filter(([name, source]) => source === "granted" && !named.has(name));
  const outside = unnamed.map(([name]): Misfit => {
    const message = `secret "${name}" is granted, but nothing in "external" names it; say there what it is for, or it has no way into a preview`;
    return { path: ["secrets", name], message };
  });
  return [...entries, ...outside];
}

/** What is off or played here has no use for the operator's keys. */
export function takesKeys(mode: ExternalService["mode"]): boolean {
  return mode === "sandbox" || mode === "shared";
}

type Whole = Exclude<ExternalFile[string], string>;

function wholeOf(typed: ExternalFile[string]): Whole {
  return typeof typed === "string" ? { mode: typed } : typed;
}

function secretsOf({ secrets = [] }: Pick<Whole, "secrets">): Readonly<Record<string, string>> {
  return Array.isArray(secrets) ? Object.fromEntries(secrets.map((name) => [name, name])) : secrets;
}

function namesOf({ secrets }: ExternalService): readonly string[] {
  return Object.values(secrets);
}

function meant(name: string, services: AroundExternal["services"]): string {
  const hint = closest(name, Object.keys(services));
  return hint === undefined ? "" : `; did you mean "${hint}"?`;
}
