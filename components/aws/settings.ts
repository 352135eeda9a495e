/** A declared environment, parted into what a task definition may show and what lies in Secrets Manager. */
import { all, type Output, output } from "@pulumi/pulumi";
import { TerminalError, toldToEngine } from "../errors.ts";
import type { SecretLocation, ServiceArgs, ServiceDefinition } from "../ports.ts";
import { type ReferenceValues, referencesIn, resolveEnvironment } from "../service/references.ts";
import { environmentOf } from "../service/sources.ts";
import type { SecretSetting } from "./containers.ts";
import { portOf } from "./containers.ts";
import { discoveryName } from "./names.ts";

/** Whose environment it is, as declared; `name` keys its secret settings. */
export interface Environment extends Pick<ServiceDefinition, "source"> {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface PartedEnvironment {
  readonly plain: Readonly<Record<string, string>>;
  /** Settings whose value goes into the preview's own secret. */
  readonly hidden: Readonly<Record<string, string>>;
  /** Settings that are exactly one secret of a store of its own. */
  readonly referred: Readonly<Record<string, Extract<SecretLocation, { kind: "aws" }>>>;
}

type Args = Pick<
  ServiceArgs,
  "services" | "sources" | "urls" | "database" | "secrets" | "secretReferences" | "environment"
>;

/** Templates by where their value belongs: nothing is resolved yet, so nothing here is secret. */
export function partEnvironment(
  { environment }: Environment,
  references: Args["secretReferences"] = {},
): PartedEnvironment {
  const plain: Record<string, string> = {};
  const hidden: Record<string, string> = {};
  const referred: Record<string, Extract<SecretLocation, { kind: "aws" }>> = {};
  for (const [key, template] of Object.entries(environment)) {
    const whole = /^\$\{secrets\.([A-Z][A-Z0-9_]*)\}$/.exec(template)?.[1];
    const location = whole !== undefined && Object.hasOwn(references, whole) ? references[whole] : undefined;
    if (location?.kind === "aws") referred[key] = location;
    else if (usesSecret(template)) hidden[key] = template;
    else plain[key] = template;
  }
  return { plain, hidden, referred };
}

/** Public settings of one process: everything is known before anything runs. */
export function plainSettings(
  args: Args,
  whose: Environment,
  plain: PartedEnvironment["plain"],
  addresses: ReferenceValues["addresses"],
) {
  return {
    // What it declares itself is told once: the same name among a container's secrets is refused. Of what we tell
    // nothing is a reference, however a git branch is called.
    ...environmentOf(args, whose),
    ...resolveEnvironment({ name: whose.name, environment: plain }, { secrets: {}, urls: args.urls, addresses }),
  };
}

/**
 * The text of the preview's own secret: one JSON object with every hidden setting of every process.
 * Undefined when there is none. Secret.
 */
export function hiddenSettings(
  args: Args,
  environments: readonly Environment[],
  addresses: ReferenceValues["addresses"],
): Output<string> | undefined {
  const parted = environments.map(({ name, environment }) => ({
    name,
    environment: partEnvironment({ name, environment }, args.secretReferences).hidden,
  }));
  if (parted.every(({ environment }) => Object.keys(environment).length === 0)) return undefined;
  const resolve = async (databaseUrl: string | undefined, known: Readonly<Record<string, string>> = {}) => {
    const values = { ...(databaseUrl !== undefined && { databaseUrl }), secrets: known, urls: args.urls, addresses };
    const entries = parted.flatMap(({ name, environment }) => {
      for (const template of Object.values(environment)) refuseUnknown(name, template, known, args.secretReferences);
      return Object.entries(resolveEnvironment({ name, environment }, values)).map(
        ([key, value]) => [hiddenKey(name, key), value] as const,
      );
    });
    return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
  };
  return all([args.database?.url, args.secrets]).apply(([url, known]) => toldToEngine(() => resolve(url, known)));
}

/**
 * Where ECS finds each secret setting. `version` pins the preview's own secret, so that a new value
 * is a new task definition and tasks start again with it.
 */
export function secretSettings(
  { name }: Environment,
  { hidden, referred }: PartedEnvironment,
  own: { readonly arn: Output<string>; readonly version: Output<string> } | undefined,
): Output<SecretSetting[]> {
  const fromOwn = Object.keys(hidden).map((key) =>
    all([own?.arn, own?.version]).apply(([arn, version]) => ({
      name: key,
      valueFrom: `${arn}:${hiddenKey(name, key)}::${version}`,
    })),
  );
  const fromStore = Object.entries(referred).map(([key, { arn }]) =>
    output(arn).apply((valueFrom) => ({ name: key, valueFrom })),
  );
  return all([...fromOwn, ...fromStore]);
}

/** Private `host:port` by service, known before they run: Cloud Map answers for the name. */
export function discoveryAddresses({
  stack,
  services,
  namespace,
}: {
  readonly stack: string;
  readonly services: readonly ServiceDefinition[];
  readonly namespace: string;
}): Record<string, string> {
  return Object.fromEntries(
    services.flatMap((service) => {
      const port = portOf(service);
      return port === undefined ? [] : [[service.name, `${discoveryName(stack, service.name)}.${namespace}:${port}`]];
    }),
  );
}

/** Neither a service's name nor a setting's holds a mark that ECS reads in `valueFrom`. */
function hiddenKey(name: string, key: string): string {
  return `${name}_${key}`;
}

function usesSecret(template: string): boolean {
  return referencesIn(template).some((reference) => /^(database|secrets)\./.test(reference));
}

function refuseUnknown(
  name: string,
  template: string,
  known: Readonly<Record<string, string>>,
  references: Args["secretReferences"] = {},
) {
  for (const [, secret = ""] of template.matchAll(/\$\{secrets\.([A-Z][A-Z0-9_]*)\}/g)) {
    if (Object.hasOwn(known, secret) || !Object.hasOwn(references, secret)) continue;
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `setting the environment of "${name}": only its store knows secret "${secret}", so it must be a setting's whole value, as in "KEY: \${secrets.${secret}}"`,
    });
  }
}
