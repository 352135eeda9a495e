/** Credentials as a forge's options name them. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ConfigError } from "../../components/errors.ts";

export const secret = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type Secret = z.infer<typeof secret>;

/** Its value, without the blanks around it. Throws `ConfigError` under the forge's kind, which names the place. */
export async function readSecret(reference: Secret, kind: string): Promise<string> {
  const [where, value] =
    "env" in reference
      ? [`environment variable "${reference.env}"`, process.env[reference.env]]
      : [`file "${reference.file}"`, await readFile(reference.file, "utf8").catch(() => undefined)];
  const text = value?.trim();
  if (text) return text;
  throw new ConfigError("forges", [{ path: kind, message: `the ${where} is missing or empty` }]);
}
