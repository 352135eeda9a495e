/** A credential of a vendor as an option names it: by where it lies, never by itself. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StacklingError } from "./errors.ts";

export const credential = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);

export type Credential = z.infer<typeof credential>;

/** The value now. Throws `StacklingError` (`SecretMissing`) that names `what` and the place, never a value. */
export async function readCredential(reference: Credential, what: string): Promise<string> {
  const [place, text] =
    "env" in reference
      ? [`environment variable "${reference.env}"`, process.env[reference.env]]
      : [`file "${reference.file}"`, await readFile(reference.file, "utf8").catch(() => undefined)];
  if (text?.trim()) return text.trim();
  throw new StacklingError({
    reason: "SecretMissing",
    userMessage: `reading ${what}: the ${place} that should hold it is missing or empty`,
  });
}

/**
 * The variable of the engine's environment that a Pulumi provider gets a credential from, to be mapped by the
 * option `envVarMappings`: the state then holds no credential, and a destroy works with the one of today.
 * In a program of one's own, without a service that keeps such variables, an `env` is its own variable, which the
 * engine must have too and not only the program, and for a `file` it is undefined.
 */
export function engineVariable(reference: { readonly env: string }): string;
export function engineVariable(reference: Credential): string | undefined;
export function engineVariable(reference: Credential): string | undefined {
  const name = handedVariable(reference);
  if (name in process.env) return name;
  return "env" in reference ? reference.env : undefined;
}

/** The same for a provider that takes it as a file's path; undefined where no service keeps it. */
export function engineFileVariable({ env }: { readonly env: string }): string | undefined {
  return AS_FILE + env in process.env ? AS_FILE + env : undefined;
}

/** Mappings for what a provider must not find in its environment, up to five: each is a variable that is empty. */
export function hiding(...names: readonly string[]): Record<string, string> {
  if (names.length > NOTHINGS.length) throw new Error(`hiding ${names.length} variables: there is no mapping for all`);
  return Object.fromEntries(names.map((name, index) => [NOTHINGS[index], name]));
}

/**
 * What services keep for `engineVariable` and, of those `asFile`, for `engineFileVariable`, in the environment of
 * programs; engines get `withFileContents` and `withFiles` of it.
 */
export function handedVariables(
  references: readonly (Credential & { readonly asFile?: boolean })[],
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const entries = references.flatMap((one) => {
    if ("env" in one) return [[one.asFile ? AS_FILE + one.env : handedVariable(one), environment[one.env] || ABSENT]];
    return one.asFile ? [] : [[handedVariable(one), one.file]];
  });
  return Object.fromEntries([...entries, ...NOTHINGS.map((name) => [name, ""])]);
}

/** An engine's environment, with each handed file's content, as it is now, in place of its path. */
export async function withFileContents(environment: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const entries = Object.entries(environment).map(async ([name, value]) => {
    if (!name.startsWith(FILE)) return [name, value] as const;
    const text = await readFile(value, "utf8").catch(() => "");
    return [name, text.trim() || ABSENT] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Puts what providers take as files into a folder of the run, and their paths in its place. */
export async function withFiles(
  environment: Readonly<Record<string, string>>,
  folder: string,
): Promise<Record<string, string>> {
  const entries = Object.entries(environment).map(async ([name, value]) => {
    if (!name.startsWith(AS_FILE)) return [name, value] as const;
    const path = join(folder, name);
    await writeFile(path, value, { mode: 0o600 });
    return [name, path] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function handedVariable(reference: Credential): string {
  if ("env" in reference) return `STACKLING_ENV_${reference.env}`;
  return FILE + createHash("sha256").update(reference.file).digest("hex").slice(0, 16).toUpperCase();
}

/** An engine takes each of its variables for one mapping only. */
const NOTHINGS = [1, 2, 3, 4, 5].map((number) => `STACKLING_NOTHING_${number}`);
const FILE = "STACKLING_FILE_";
const AS_FILE = "STACKLING_AS_FILE_";
/** Is refused by every vendor; without anything a provider would look elsewhere. */
const ABSENT = "missing";
