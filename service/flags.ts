/** Which value each feature flag of a preview has: a person's word, else a label's, else preview.yaml's. Pure. */
import { FLAG_WORD, type Flags, type FlagValue } from "../components/service/flags.ts";
import type { FlagDeclaration } from "./config/application-types.ts";
import { closest } from "./config/closest.ts";
import type { Intents } from "./intents.ts";

/** Before the name and value in a label: `flag:theme=dark`. */
const LABEL = /^flag:([^=]+)=(.*)$/i;
const SHOWN_OF_A_WORD = 40;

type Declared = Readonly<Record<string, FlagDeclaration>>;

interface Said {
  readonly labels: readonly string[];
  /** Name to what a person said. */
  readonly said: Readonly<Record<string, string>>;
}

/** What says nothing that is allowed is passed over: `flagFaults` tells of labels, and a person was told at once. */
export function flagsInEffect(declared: Declared, { labels, said }: Said): Flags {
  const byLabel = new Map(labels.map(assignmentOf).filter((found) => found !== undefined));
  return Object.fromEntries(
    Object.entries(declared).map(([name, flag]) => {
      const words = [Object.hasOwn(said, name) ? said[name] : undefined, byLabel.get(name)];
      const read = words.map((word) => (word === undefined ? undefined : readAs(flag, word)));
      return [name, { ...flag, value: read.find((value) => value !== undefined) ?? flag.default }];
    }),
  );
}

/** Whose word it is that a flag has another value than its default. */
export function setBy(name: string, { flags = {} }: Pick<Intents, "flags">): "person" | "label" {
  return Object.hasOwn(flags, name) ? "person" : "label";
}

/** What labels say of flags that cannot be: a sentence each. */
export function flagFaults(declared: Declared, labels: readonly string[]): readonly string[] {
  return labels.flatMap((label) => {
    const [name, word] = assignmentOf(label) ?? [];
    if (name === undefined || word === undefined) return [];
    const fault = flagFault(declared, name, word);
    return fault === undefined ? [] : [`The label \`flag:${shown(name)}=${shown(word)}\` does nothing: ${fault}.`];
  });
}

/** Why a flag cannot be set so, or without a word not at all, as the rest of a sentence; undefined when it can. */
export function flagFault(declared: Declared, name: string, word: string | undefined): string | undefined {
  const names = Object.keys(declared);
  const flag = Object.hasOwn(declared, name) ? declared[name] : undefined;
  if (!flag) {
    if (names.length === 0) return "`preview.yaml` declares no flags";
    const meant = closest(name, names);
    const hint = meant === undefined ? `there are ${list(names)}` : `the nearest is \`${meant}\``;
    return `there is no flag \`${shown(name)}\`; ${hint}`;
  }
  if (word === undefined || readAs(flag, word) !== undefined) return undefined;
  return `\`${name}\` is ${wanted(flag)}, not \`${shown(word)}\``;
}

/** The change of a preview's wishes; without a word the person's earlier one is taken back. */
export function flagSaid(
  { flags }: Pick<Intents, "flags">,
  name: string,
  word: string | undefined,
): Pick<Intents, "flags"> {
  const { [name]: _before, ...others } = flags ?? {};
  const said = word === undefined ? others : { ...others, [name]: word };
  return { flags: Object.keys(said).length > 0 ? said : undefined };
}

/** Those that have another value than their default: what labels and persons wished. */
export function flagsSet(flags: Flags = {}): Readonly<Record<string, FlagValue>> {
  const other = Object.entries(flags).filter(([, flag]) => flag.value !== flag.default);
  return Object.fromEntries(other.map(([name, { value }]) => [name, value]));
}

function assignmentOf(label: string): readonly [name: string, word: string] | undefined {
  const [, name, word] = LABEL.exec(label.trim()) ?? [];
  return name === undefined || word === undefined ? undefined : [name.trim(), word.trim()];
}

/** What a word means for a flag; undefined where it is not allowed. */
function readAs({ default: usual, values }: FlagDeclaration, word: string): FlagValue | undefined {
  const value = read(typeof usual, word);
  if (value === undefined) return undefined;
  return values === undefined || values.includes(value) ? value : undefined;
}

function read(type: string, word: string): FlagValue | undefined {
  if (type === "boolean") return SWITCH.get(word.toLowerCase());
  if (type === "number") return /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : undefined;
  return FLAG_WORD.test(word) ? word : undefined;
}

const SWITCH = new Map([
  ["true", true],
  ["on", true],
  ["false", false],
  ["off", false],
]);

function wanted({ default: usual, values }: FlagDeclaration): string {
  if (typeof usual === "boolean") return "`true` or `false`";
  if (values) return `one of ${list(values.map(String))}`;
  return typeof usual === "number" ? "a number" : "a word of 1 to 64 letters, digits and `_.,:/@+-`";
}

function list(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

/** A stranger's word as it may stand in code. */
function shown(word: string): string {
  const plain = word.replace(/[^\w.,:/@+-]/g, "");
  return plain.length <= SHOWN_OF_A_WORD ? plain || "…" : `${plain.slice(0, SHOWN_OF_A_WORD)}…`;
}
