import { createHash } from "node:crypto";

/** Mark by which what was said last is known again: 16 hexadecimal digits of its JSON. Too short to prove anything. */
export function digestOf(said: unknown): string {
  return createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 16);
}
