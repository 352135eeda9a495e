/**
 * What the database server says of an error, without the value it found, which may be somebody's: that comes last,
 * in quotes behind a colon (`invalid input syntax for type integer: "…"`). Its details are left out for the same reason.
 */
export function serverWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/: ".*"$/s, ': "…"');
}
