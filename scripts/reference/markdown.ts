/** What the makers of references write their tables with. */

export interface JsonSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

/** Text of one cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

export function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

export function tableOf(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(headings), `|${headings.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** Alternatives of a schema, those of its alternatives too. */
export function choicesOf(schema: JsonSchema): readonly JsonSchema[] {
  const choices = schema.anyOf ?? schema.oneOf;
  return choices ? choices.flatMap(choicesOf) : [schema];
}

/** By which one knows it among its alternatives, such as `` `slack` `` of `{kind: slack, …}`. */
export function wordOf({ properties = {} }: JsonSchema): string | undefined {
  const word = Object.values(properties).find((property) => property.const !== undefined)?.const;
  return word === undefined ? undefined : code(String(word));
}

/** What a value is, in words: `` list of text``, `` `a` or `b` ``. Another schema is named by `nameOf`. */
export function typeOf(schema: JsonSchema, nameOf: (reference: string) => string = (text) => text): string {
  const words = [...new Set(choicesOf(schema).flatMap((choice) => wordsOf(choice, nameOf)))];
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function wordsOf(schema: JsonSchema, nameOf: (reference: string) => string): readonly string[] {
  const { $ref, type, items, additionalProperties: rest, properties } = schema;
  if ($ref !== undefined) return [nameOf($ref)];
  if (schema.const !== undefined) return [code(String(schema.const))];
  if (schema.enum) return schema.enum.map((one) => code(String(one)));
  if (type === "array") return [`list of ${plural(items ? typeOf(items, nameOf) : "anything")}`];
  if (type === "object") {
    const named = typeof rest === "object" && Object.keys(rest).length > 0;
    return properties || !named ? ["map"] : [`map of names to ${plural(typeOf(rest, nameOf))}`];
  }
  if (type === "boolean") return ["`true`", "`false`"];
  if (typeof type === "string") return [`${WORDS[type] ?? type}${boundsOf(schema)}`];
  return Array.isArray(type) ? type.map((one: string) => WORDS[one] ?? one) : ["anything"];
}

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  null: "nothing",
};

const plural = (words: string): string => words.replaceAll(/\b(map|number)\b/g, "$1s");

/** Of a number; those that only say how large numbers can be at all are left out. */
function boundsOf({ type, minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  if (type !== "integer" && type !== "number") return "";
  const from = minimum ?? exclusiveMinimum;
  const low = from === undefined || from <= Number.MIN_SAFE_INTEGER ? undefined : from;
  const high = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const above = minimum === undefined ? "above" : "from";
  if (low !== undefined && high !== undefined) return ` ${above} ${low} to ${high}`;
  if (low !== undefined) return ` ${above} ${low}`;
  return high === undefined ? "" : ` up to ${high}`;
}
