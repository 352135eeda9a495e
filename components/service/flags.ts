/** Feature flags as a preview's services are given them: by variables, and as a file that OpenFeature's providers read. Pure. */

export type FlagValue = boolean | number | string;

/** A flag that is a word: as far as labels, comments and environments take a text alike. */
export const FLAG_WORD = /^[\w.,:/@+-]{1,64}$/;

export interface Flag {
  /** In effect. */
  readonly value: FlagValue;
  readonly default: FlagValue;
  /** All that are allowed; absent: any of the default's type. */
  readonly values?: readonly FlagValue[];
}

export type Flags = Readonly<Record<string, Flag>>;

/** Variable of one flag: `new-checkout` is `FLAG_NEW_CHECKOUT`. Different names may have the same one. */
export function flagVariable(name: string): string {
  return `FLAG_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
}

export function flagVariables(flags: Flags): Record<string, string> {
  return Object.fromEntries(Object.entries(flags).map(([name, { value }]) => [flagVariable(name), String(value)]));
}

/**
 * By which flagd's providers find a file with no flagd running. `in-process` with a file is what those of
 * JavaScript, Python, Java and Go take; the first knows no `file`: their READMEs, "Offline mode".
 */
export function flagFileVariables(path: string): Record<string, string> {
  return { FLAGD_RESOLVER: "in-process", FLAGD_OFFLINE_FLAG_SOURCE_PATH: path };
}

/** Flag definitions as flagd's JSON has them: flagd docs, "Flag Definitions". A variant is named as its value reads. */
export function flagFile(flags: Flags): string {
  const definitions = Object.entries(flags).map(([name, flag]) => {
    const variants = Object.fromEntries(variantsOf(flag).map((value) => [String(value), value]));
    return [name, { state: "ENABLED", variants, defaultVariant: String(flag.value) }] as const;
  });
  const file = { $schema: "https://flagd.dev/schema/v0/flags.json", flags: Object.fromEntries(definitions) };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function variantsOf({ value, default: usual, values }: Flag): readonly FlagValue[] {
  if (typeof usual === "boolean") return [true, false];
  return values ?? [usual, value];
}
