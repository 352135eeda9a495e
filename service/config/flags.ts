/** `flags` of preview.yaml: what may be typed, what it means, and what a schema cannot say of it. */
import { z } from "zod";
import { FLAG_WORD, type FlagValue, flagVariable } from "../../components/service/flags.ts";
import type { FlagDeclaration } from "./application-types.ts";
import type { Misfit } from "./yaml-file.ts";

const name = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9._-]{0,39}$/,
    "must be letters, digits, dots, dashes and underscores, a letter first, at most 40",
  );

const value = z.union([
  z.boolean(),
  z.number(),
  z.string().regex(FLAG_WORD, "must be 1 to 64 letters, digits and _ . , : / @ + -"),
]);

const flag = z.union([
  z.strictObject({
    default: value.describe("In effect unless somebody sets another."),
    values: z
      .array(value)
      .min(1, "must hold a value")
      .optional()
      .describe("All that are allowed. Default: any of the default's type."),
  }),
  value,
]);

export const flagsSchema = z
  .record(name, flag)
  .describe(
    "Feature flags: name to default, or a map for more. Each service gets them as FLAG_NAME and as a file for OpenFeature; the label `flag:name=value` or `/preview flag name=value` sets another value for one preview.",
  );

export type FlagsFile = z.infer<typeof flagsSchema>;

export function toFlags(file: FlagsFile = {}): Readonly<Record<string, FlagDeclaration>> {
  return Object.fromEntries(
    Object.entries(file).map(([key, typed]) => [key, typeof typed === "object" ? typed : { default: typed }]),
  );
}

/** How flags fit each other, and the variables of the services beside them. */
export function checkFlags(
  flags: Readonly<Record<string, FlagDeclaration>>,
  services: readonly { readonly name: string; readonly environment: Readonly<Record<string, string>> }[],
): readonly Misfit[] {
  const byVariable = new Map<string, string>();
  return Object.entries(flags).flatMap(([key, declared]) => {
    const at = (message: string): Misfit => ({ path: ["flags", key], message: `flag "${key}" ${message}` });
    const variable = flagVariable(key);
    const other = byVariable.get(variable);
    byVariable.set(variable, key);
    const taken = services.find(({ environment }) => Object.hasOwn(environment, variable));
    return [
      ...(other === undefined ? [] : [at(`and flag "${other}" are both ${variable}; rename one of them`)]),
      ...(taken
        ? [at(`is ${variable}, which service "${taken.name}" sets in its environment; rename one of them`)]
        : []),
      ...checkValues(declared).map(at),
    ];
  });
}

function checkValues({ default: usual, values }: FlagDeclaration): readonly string[] {
  if (!values && typeof usual === "string" && SWITCHES.has(usual.toLowerCase())) {
    return [`is the word "${usual}"; write true or false for a switch, or name its "values"`];
  }
  if (!values) return [];
  const strange = values.find((one) => typeof one !== typeof usual);
  if (strange !== undefined) return [`has the value ${shown(strange)}, which is not of its default's type`];
  return values.includes(usual) ? [] : [`has the default ${shown(usual)}, which is none of its "values"`];
}

/** In YAML 1.2 these are words. */
const SWITCHES = new Set(["on", "off", "yes", "no"]);

function shown(one: FlagValue): string {
  return typeof one === "string" ? `"${one}"` : String(one);
}
