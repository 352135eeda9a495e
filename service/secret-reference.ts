import { readFile } from "node:fs/promises";
import { StacklingError } from "../components/errors.ts";
import type { SecretReference } from "./config/types.ts";

/** The secret's value now. Throws `StacklingError` (`SecretMissing`) that names the place, never a value. */
export async function resolveSecret(
  reference: SecretReference,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if ("env" in reference) {
    const value = environment[reference.env];
    if (value) return value;
    throw missing(`environment variable "${reference.env}" is not set`);
  }
  const text = await readFile(reference.file, "utf8").catch((cause: unknown) => {
    throw missing(`file "${reference.file}" cannot be read`, cause);
  });
  const value = text.replace(/\r?\n$/, "");
  if (value) return value;
  throw missing(`file "${reference.file}" is empty`);
}

function missing(why: string, cause?: unknown): StacklingError {
  return new StacklingError({ reason: "SecretMissing", userMessage: `reading a secret: ${why}`, cause });
}
