/** What a state remembers of an object in the cluster: the fields that a program set, and no secret. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

type Fields = Readonly<Record<string, unknown>>;

/** The set fields as the cluster has them now. A secret's contents are told by their digest only. */
export function observe(inputs: Fields, live: Fields): Fields {
  const uid = isFields(live.metadata) ? live.metadata.uid : undefined;
  const { data, stringData, ...shown } = inputs;
  const isSecret = inputs.kind === "Secret";
  const seen = project(isSecret ? shown : inputs, live) as Fields;
  const metadata = { ...(isFields(seen.metadata) ? seen.metadata : {}), uid };
  return { ...seen, metadata, ...(isSecret && { contents: digestOf(live.data) }) };
}

/**
 * The inputs with what differs from before as it is now, so that a further update sees and mends it.
 * What the cluster only writes differently (a quantity, a default) stays as the program wrote it.
 */
export function merge(inputs: Fields, before: Fields, now: Fields): Fields {
  const merged = mergeValue(inputs, before, now) as Fields;
  if (inputs.kind !== "Secret") return merged;
  const { data, stringData, ...rest } = merged;
  const same = before.contents === now.contents;
  return same
    ? { ...rest, ...(data !== undefined && { data }), ...(stringData !== undefined && { stringData }) }
    : rest;
}

function digestOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value ?? null))
    .digest("hex");
}

function mergeValue(input: unknown, before: unknown, now: unknown): unknown {
  if (isDeepStrictEqual(before, now)) return input;
  if (!isFields(input) || !isFields(before) || !isFields(now)) return now;
  return Object.fromEntries(
    Object.keys(input)
      .map((key) => [key, mergeValue(input[key], before[key], now[key])] as const)
      .filter(([, value]) => value !== undefined),
  );
}

/** Items of lists are matched by their place, as long as there are as many. */
function project(wanted: unknown, live: unknown): unknown {
  if (Array.isArray(wanted) && Array.isArray(live) && wanted.length === live.length)
    return wanted.map((item, index) => project(item, live[index]));
  if (!isFields(wanted) || !isFields(live)) return live;
  return Object.fromEntries(
    Object.keys(wanted)
      .map((key) => [key, project(wanted[key], live[key])] as const)
      .filter(([, value]) => value !== undefined),
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
