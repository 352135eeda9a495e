/** A credential of a vendor as an option names it: by where it lies, never by itself. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
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
 * Undefined for a file where no service keeps such a variable, as in a program of one's own.
 */
export function engineVariable(reference: Credential): string | undefined {
  if ("env" in reference) return reference.env;
  const name = fileVariable(reference.file);
  return name in process.env ? name : undefined;
}

/** What the variable for a file's content is called. Beside engines, its value is the path. */
export function fileVariable(path: string): string {
  return `${FILE}${createHash("sha256").update(path).digest("hex").slice(0, 16).toUpperCase()}`;
}

/** An engine's environment, with each file's content in place of its path; one that cannot be read now is no credential. */
export async function withFileContents(environment: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const entries = Object.entries(environment).map(async ([name, value]) => {
    if (!name.startsWith(FILE)) return [name, value] as const;
    const text = await readFile(value, "utf8").catch(() => "");
    return [name, text.trim() || ABSENT] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const FILE = "STACKLING_FILE_";
/** Is refused by every vendor; nothing at all would let a provider look elsewhere. */
const ABSENT = "missing";
