import { access, constants } from "node:fs/promises";
import { sep } from "node:path";
import type { OperatorConfig } from "./types.ts";

/** Something a config refers to that is not there. */
export interface MissingReference {
  /** Dotted path of the reference, with names in place of list indices. */
  readonly path: string;
  readonly message: string;
}

interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What lies in it is made by the service itself. */
  readonly dataDir: string;
}

/** Variables that are not set and files that cannot be read here; where the service runs it may be otherwise. */
export async function findMissingReferences(config: OperatorConfig, machine: Machine): Promise<MissingReference[]> {
  const { engineEnvironment = [] } = config;
  const asked = engineEnvironment.map((name) => ({ path: "engineEnvironment", reference: { env: name } }));
  const missing = [...referencesIn(config, []), ...asked].map(async ({ path, reference }) => {
    const message = await faultOf(reference, machine);
    return message === undefined ? [] : [{ path, message }];
  });
  return (await Promise.all(missing)).flat();
}

type Reference = { readonly env: string } | { readonly file: string };

async function faultOf(reference: Reference, { environment, dataDir }: Machine): Promise<string | undefined> {
  if ("env" in reference) {
    return environment[reference.env] ? undefined : `environment variable "${reference.env}" is not set`;
  }
  if (reference.file.startsWith(`${dataDir}${sep}`)) return undefined;
  return access(reference.file, constants.R_OK).then(
    () => undefined,
    () => `file "${reference.file}" cannot be read`,
  );
}

/** Every `{env: NAME}` and `{file: PATH}`, wherever forges and drivers have put them. */
function referencesIn(value: unknown, path: readonly string[]): { path: string; reference: Reference }[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && (first?.[0] === "env" || first?.[0] === "file") && typeof first[1] === "string") {
    return [{ path: path.join("."), reference: value as Reference }];
  }
  return entries.flatMap(([key, inner]) => referencesIn(inner, [...path, nameOf(inner) ?? key]));
}

function nameOf(value: unknown): string | undefined {
  const named = typeof value === "object" && value !== null && "name" in value ? value.name : undefined;
  return typeof named === "string" ? named : undefined;
}
