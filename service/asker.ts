/** Who asked for something, as people read it. Pure. */

/** `by ada`; the names of our own doors stand for whoever used them. */
export function askerWords(by: string): string {
  if (by === "page") return "by somebody on the pages";
  return by === "api" ? "by a program" : `by ${by}`;
}
