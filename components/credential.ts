/** A credential of a vendor as an option names it: by where it lies, never by itself. */
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
