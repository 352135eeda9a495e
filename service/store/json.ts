/**
 * Text as Postgres takes it: neither U+0000 nor half of a surrogate pair, which a program's output may
 * hold or a cut leave behind. Without this one line of a build's log would keep a failure from ever being
 * written down.
 */
export function storable(text: string): string {
  return text.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** JSON for a `jsonb` column. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "string" ? storable(part) : part));
}
