/** What the head of a pull request may change of `preview.yaml` before it is merged: what the operator lists. Pure. */
import { stringify } from "yaml";
import { z } from "zod";
import { canonical } from "../../infra/canonical.ts";
import { readYamlFile } from "./yaml-file.ts";

/**
 * All that can be listed. Never what the target, its limits, secrets, others' services and the doors are; `*` is each
 * service that the base has.
 */
export const HEAD_KEYS = [
  "install",
  "build",
  "env",
  "flags",
  "login",
  "database.migrate",
  "database.seed",
  "services.*.command",
  "services.*.env",
  "services.*.health",
  "services.*.startTimeoutSeconds",
] as const;
export type HeadKey = (typeof HEAD_KEYS)[number];

export const headKeys = z.array(z.enum(HEAD_KEYS)).min(1, "must name at least one key");

type Plain = Readonly<Record<string, unknown>>;
const anything = z.record(z.string(), z.unknown());

/**
 * The base's text with the head's values at the keys that are allowed, and at which of them they differ: `services.web.env`.
 * A value that the head has not stays as the base has it. A head that cannot be read changes nothing.
 */
export function withHead(
  base: string,
  head: string | undefined,
  keys: readonly HeadKey[],
): { readonly text: string; readonly taken: readonly string[] } {
  const unchanged = { text: base, taken: [] };
  const [ours, theirs] = [plainOf(base), head === undefined ? undefined : plainOf(head)];
  if (!ours || !theirs) return unchanged;
  const taken: string[] = [];
  let whole: Plain = ours;
  for (const key of keys) whole = overlay(whole, theirs, { keys: key.split("."), at: [], taken });
  return taken.length === 0 ? unchanged : { text: stringify(whole), taken };
}

function plainOf(text: string): Plain | undefined {
  const { value } = readYamlFile(text, anything);
  if (!value || !isMap(value.services)) return value;
  // `web: npm start` is short for a map.
  const services = Object.entries(value.services).map(([name, service]) => [
    name,
    typeof service === "string" ? { command: service } : service,
  ]);
  return { ...value, services: Object.fromEntries(services) };
}

interface Way {
  readonly keys: readonly string[];
  readonly at: readonly string[];
  readonly taken: string[];
}

function overlay(ours: Plain, theirs: Plain, { keys: [key = "", ...rest], at, taken }: Way): Plain {
  const names = key === "*" ? Object.keys(ours) : [key];
  const changed = names.flatMap((name): [string, unknown][] => {
    if (!Object.hasOwn(theirs, name)) return [];
    const [mine, other] = [Object.hasOwn(ours, name) ? ours[name] : undefined, theirs[name]];
    const way = { keys: rest, at: [...at, name], taken };
    if (rest.length > 0) return isMap(mine) && isMap(other) ? [[name, overlay(mine, other, way)]] : [];
    if (canonical(mine) === canonical(other)) return [];
    taken.push(way.at.join("."));
    return [[name, other]];
  });
  return { ...ours, ...Object.fromEntries(changed) };
}

function isMap(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
