/** Values of resources, of which nothing is known before one looks. */
export type Properties = Readonly<Record<string, unknown>>;

export function recordOf(value: unknown): Properties {
  return typeof value === "object" && value !== null ? (value as Properties) : {};
}

export function listOf(value: unknown): readonly Properties[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}

/** JSON that a provider takes as text; undefined when it is none. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
