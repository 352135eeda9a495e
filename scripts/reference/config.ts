/** The reference of a configuration file, from the schema that checks it. */
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { applicationSchema } from "../../service/config/application-schema.ts";
import { operatorSchema } from "../../service/config/operator-schema.ts";
import { capital, choicesOf, code, type JsonSchema, tableOf, typeOf, wordOf } from "./markdown.ts";

const files: Readonly<Record<string, z.ZodType>> = {
  "preview.yaml": applicationSchema,
  "stackling.yaml": operatorSchema,
};

/** A heading a key of the file, below it a row for every key that lies within, by its path from there. */
export function configReference(file: string): string {
  return keysOf(file)
    .flatMap(({ key, rows: [first, ...rows] }) => {
      const { meaning, standard } = partsOf(first);
      const said = first.needed ? " It is needed." : standard && ` Default: ${standard}.`;
      const byAnchor = Map.groupBy(rows, ({ path }) => anchorOf(path));
      const cells = [...byAnchor.values()].flatMap(([row, ...more]) => (row ? [cellsOf([row, ...more])] : []));
      return [
        `## ${key}`,
        meaning,
        `${capital(first.kind)}.${said}`,
        cells.length > 0 ? tableOf(["key", "meaning"], cells) : "",
      ];
    })
    .filter(Boolean)
    .join("\n\n");
}

/** Paths of the keys that nothing is said of. */
export function unexplained(file: string): readonly string[] {
  return keysOf(file).flatMap(({ rows }) => rows.flatMap(({ path, schema }) => (schema.description ? [] : [path])));
}

/** Where a map of such keys stands in full, by what it may hold. */
type Shown = Map<string, string>;

interface Row {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly kind: string;
  readonly needed: boolean;
  /** Of alternatives: the word by which one knows the one that has it. */
  readonly of?: string;
}

function keysOf(file: string): readonly { readonly key: string; readonly rows: readonly [Row, ...Row[]] }[] {
  const schema = files[file];
  if (!schema) throw new Error(`making the reference of "${file}": there is no such file`);
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as unknown as JsonSchema;
  const shown: Shown = new Map();
  return Object.entries(json.properties ?? {}).map(([key, property]) => ({
    key,
    rows: rowsOf(key, property, json.required?.includes(key) ?? false, shown),
  }));
}

/** One key with all that lies within, depth first; what stands in full elsewhere is led to. */
function rowsOf(path: string, schema: JsonSchema, needed: boolean, shown: Shown): [Row, ...Row[]] {
  if (isSecret(schema)) {
    const text = choicesOf(schema).some(({ type }) => type === "string") ? "text, " : "";
    return [{ path, schema, kind: `${text}\`{env: NAME}\` or \`{file: PATH}\``, needed }];
  }
  const contents = JSON.stringify(choicesOf(schema).map(({ description: _said, ...rest }) => rest));
  const place = contents.includes('"properties"') ? shown.get(contents) : undefined;
  if (place !== undefined) return [{ path, schema, kind: `as [${code(place)}](#${anchorOf(place)})`, needed }];
  shown.set(contents, path);
  return [{ path, schema, kind: typeOf(schema), needed }, ...within(schema, path, shown)];
}

function within(schema: JsonSchema, above: string, shown: Shown): readonly Row[] {
  const choices = choicesOf(schema);
  return choices.flatMap((choice): readonly Row[] => {
    const { properties = {}, required = [], items, additionalProperties } = choice;
    const of = choices.length > 1 ? wordOf(choice) : undefined;
    return [
      ...Object.entries(properties).flatMap(([name, property]) => {
        const [first, ...below] = rowsOf(`${above}.${name}`, property, required.includes(name), shown);
        return [of === undefined ? first : { ...first, of }, ...below];
      }),
      ...(items ? within(items, `${above}[]`, shown) : []),
      ...(typeof additionalProperties === "object" && !isSecret(additionalProperties)
        ? within(additionalProperties, `${above}.NAME`, shown)
        : []),
    ];
  });
}

/** The same path of several alternatives, or of one and a list of it, is one row, with what it is in each. */
function cellsOf(same: readonly [Row, ...Row[]]): readonly string[] {
  const [{ path, schema, kind }] = same;
  const below = path.replace(/^\w+(\[\])?\./, "");
  const plain = same.flatMap((row) => (row.kind === typeOf(row.schema) ? [row.schema] : []));
  const is = plain[0] === schema ? typeOf({ anyOf: plain }) : kind;
  const standard = unique(same.map((row) => partsOf(row).standard)).join(" or ");
  const needed = neededIn(same);
  const said = `*${capital(is)}${needed}${needed === "" && standard ? `; default: ${standard}` : ""}.*`;
  return [`<a id="${anchorOf(path)}"></a>${code(below)}`, [...meaningsIn(same), said].join(" ")];
}

function meaningsIn(same: readonly Row[]): readonly string[] {
  const meanings = unique(same.map((row) => partsOf(row).meaning));
  if (meanings.length === 1 && same.length > 1) return meanings;
  return same.flatMap((row) => {
    const { meaning } = partsOf(row);
    return meaning === "" || row.of === undefined ? meaning || [] : `With ${row.of}: ${meaning}`;
  });
}

function neededIn(same: readonly Row[]): string {
  if (same.every(({ needed }) => needed)) return ", needed";
  const words = unique(same.map(({ needed, of = "" }) => (needed ? of : "")));
  return words.length > 0 ? `, needed with ${words.join(" and ")}` : "";
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.filter(Boolean))];
}

/** A reference to a secret, whose two keys are told once. */
function isSecret(schema: JsonSchema): boolean {
  return secretKinds(schema).join() === "env,file";
}

/** Of `lifecycle.sleepAfter`: `lifecycle-sleepafter`. */
function anchorOf(path: string): string {
  return path.toLowerCase().replaceAll("[]", "").replaceAll(".", "-");
}

function secretKinds(schema: JsonSchema): readonly string[] {
  return choicesOf(schema).flatMap(({ properties }) => (properties ? [Object.keys(properties).join("+")] : []));
}

/** The default stands at the end of many a description, in words. */
function partsOf({ schema: { description = "", default: value } }: Row): Parts {
  const [, before = description, said] = /^(.*?)\s*\bDefault:? (.+)$/s.exec(description) ?? [];
  const standard = value === undefined ? (said?.replace(/\.$/, "") ?? "") : code(JSON.stringify(value));
  return { meaning: linked(before), standard: linked(standard) };
}

interface Parts {
  readonly meaning: string;
  readonly standard: string;
}

/** `docs/chat.md` as a link to that page, where it is there. */
function linked(text: string): string {
  return text.replaceAll(/\bdocs\/([a-z-]+)\.md(#[a-z-]+)?/g, (said, page: string, heading = "") =>
    existsSync(fileOf(page)) ? `[${titleOf(page)}](../${page}.md${heading})` : said,
  );
}

const fileOf = (page: string) => new URL(`../../docs/${page}.md`, import.meta.url);

function titleOf(page: string): string {
  return /^# (.+)$/m.exec(readFileSync(fileOf(page), "utf8"))?.[1] ?? page;
}
