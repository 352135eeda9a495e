/** Paths of secrets in `stackling.yaml` as they are used: absolute. */
import { resolve } from "node:path";
import type { SecretReference } from "./types.ts";

/** The same with every `{file: PATH}` in it made absolute: options of forges and drivers hold references too. */
export function placeAll<T>(value: T, directory: string): T {
  const absolute = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(absolute);
    if (typeof inner !== "object" || inner === null) return inner;
    const entries = Object.entries(inner);
    const [first] = entries;
    const isReference = entries.length === 1 && first?.[0] === "file" && typeof first[1] === "string";
    if (isReference) return { file: resolve(directory, String(first[1])) };
    return Object.fromEntries(entries.map(([key, part]) => [key, absolute(part)]));
  };
  return absolute(value) as T;
}

/** Absolute; relative paths start at the folder that the file lies in. */
export function place(reference: SecretReference, directory: string): SecretReference {
  return "file" in reference ? { file: resolve(directory, reference.file) } : reference;
}
