/** `mode: own` in `external` of preview.yaml: a part of the preview's own at a server that the operator names. */
import { z } from "zod";
import { backingSecret } from "../../infra/backing.ts";
import { variableName } from "./scalars.ts";

/** A preview's own part of a server that previews share. */
export interface OwnPart {
  /** Name of an entry of the target's `backing`. */
  readonly from: string;
  /** What of it each variable holds. */
  readonly values: Readonly<Record<string, string>>;
  /** Made below the preview's prefix. */
  readonly topics: readonly string[];
}

export const ownKeys = {
  from: z
    .string()
    .optional()
    .describe(
      "Which entry of the target's `backing` it is a part of, where it is its own. Default: what has its name.",
    ),
  values: z
    .record(variableName, z.string())
    .optional()
    .describe("Variable to what it holds of a part of its own, such as `REDIS_URL: url`."),
  topics: z
    .array(z.string().regex(/^[a-zA-Z0-9._-]{1,100}$/, "must be letters, digits, dots, dashes and underscores"))
    .optional()
    .describe("Kafka topics that are there from the start, below the preview's prefix."),
};

export interface OwnFile {
  readonly from?: string | undefined;
  readonly values?: Readonly<Record<string, string>> | undefined;
  readonly topics?: readonly string[] | undefined;
}

export function toOwnPart(name: string, { from = name, values = {}, topics = [] }: OwnFile): OwnPart {
  return { from, values, topics: [...new Set(topics)].sort() };
}

/** As references to the secrets that hold them once the part is there. */
export function ownVariables(name: string, { values = {} }: OwnFile): Record<string, string> {
  const entries = Object.entries(values).map(([variable, value]) => [
    variable,
    `\${secrets.${backingSecret(name, value)}}`,
  ]);
  return Object.fromEntries(entries);
}

/** Names of the secrets that hold what reaches it. */
export function secretsOfPart(name: string, { values }: Pick<OwnPart, "values">): readonly string[] {
  return Object.values(values).map((value) => backingSecret(name, value));
}

/** What is wrong with one entry, as key and rest of a sentence. */
export function ownFaults(mode: string, file: OwnFile): readonly (readonly [key: string, fault: string])[] {
  if (mode === "own") {
    const none = Object.keys(file.values ?? {}).length === 0;
    return none
      ? [["mode", 'is of its own, and "values" says which variables get what of it, such as {REDIS_URL: url}']]
      : [];
  }
  const keys = (["from", "values", "topics"] as const).filter((key) => file[key] !== undefined);
  return keys.map((key) => [key, `has "${key}", which is for what is of its own (mode: own)`]);
}
