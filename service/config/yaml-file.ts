/**
 * From the text of a config file to a checked value, or to every problem in it with its line. Both
 * config files go through here, so that a mistake reads the same in each.
 */
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { z } from "zod";
import type { ConfigProblem } from "../../components/errors.ts";
import { closest } from "./closest.ts";

type Path = readonly PropertyKey[];

/** More than any person writes; keeps a hostile file from costing memory. */
const MAX_BYTES = 256 * 1024;

export interface YamlFile<T> {
  /** Undefined when the text breaks the schema; `problems` then says where. */
  readonly value?: T;
  readonly problems: readonly ConfigProblem[];
  /** A problem at `path`, with the line of the value (or of its nearest parent that is in the file). */
  problemAt(path: Path, message: string): ConfigProblem;
}

/** Reads YAML 1.2 and checks it against `schema`. Never throws; at most 256 KiB. */
export function readYamlFile<T>(text: string, schema: z.ZodType<T>): YamlFile<T> {
  const lines = new LineCounter();
  const problemAt = (path: Path, message: string): ConfigProblem => {
    const offset = offsetOf(root, path);
    const line = offset === undefined ? undefined : lines.linePos(offset).line;
    return { ...(line ? { line } : {}), path: path.map(String).join("."), message };
  };
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return { problems: [{ path: "", message: `is larger than ${MAX_BYTES} bytes` }], problemAt };
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const root = document.contents as Node | null;
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      line: lines.linePos(error.pos[0]).line,
      path: "",
      message: `is not valid YAML: ${error.code === "MULTIPLE_DOCS" ? "it holds more than one document" : error.message}`,
    }));
    return { problems, problemAt };
  }
  const plain = toPlain(() => document.toJS({ maxAliasCount: 100 }));
  if ("message" in plain) return { problems: [{ path: "", message: plain.message }], problemAt };
  if (plain.value === null) return { problems: [{ path: "", message: "is empty" }], problemAt };
  const checked = checkValue(schema, plain.value);
  if ("value" in checked) return { value: checked.value, problems: [], problemAt };
  return { problems: byLine(checked.misfits.map((m) => problemAt(m.path, m.message))), problemAt };
}

/** What is wrong, and where in the file: keys and list indices from its root. */
export interface Misfit {
  readonly path: Path;
  readonly message: string;
}

/** Checks one value that lies at `above` in a file, such as a driver's options. */
export function checkValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
  above: Path = [],
): { readonly value: T } | { readonly misfits: readonly Misfit[] } {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const context: Context = { above, shape, value };
  return { misfits: parsed.error.issues.flatMap((issue) => describe(issue, [], context)) };
}

export function byLine(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function toPlain(read: () => unknown): { readonly value: unknown } | { readonly message: string } {
  try {
    return { value: read() };
  } catch (error) {
    return { message: `is not valid YAML: ${error instanceof Error ? error.message : String(error)}` };
  }
}

interface Context {
  readonly above: Path;
  readonly shape: JsonSchema;
  readonly value: unknown;
}

/** `outer` is the path inside the checked value of the union that the issue is part of. */
function describe(issue: z.core.$ZodIssue, outer: Path, context: Context): readonly Misfit[] {
  const inner = [...outer, ...issue.path];
  const path = [...context.above, ...inner];
  const found = valueAt(context.value, inner);
  const one = (message: string): readonly Misfit[] => [{ path, message: `${named(path)} ${message}` }];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: unknownKey(path, key, knownKeys(context.shape, inner)),
      }));
    case "invalid_key":
      return [{ path, message: `name "${String(path.at(-1))}" ${issue.issues[0]?.message ?? "is not allowed here"}` }];
    case "invalid_union": {
      // A map is none of some words: what is wrong inside it says more.
      const isOther = ({ code, path: at }: z.core.$ZodIssue) =>
        at.length === 0 && (code === "invalid_type" || (code === "invalid_value" && typeof found === "object"));
      const branch = issue.errors.find((errors) => !errors.some(isOther));
      if (branch) return branch.flatMap((error) => describe(error, inner, context));
      const kinds = issue.errors.flat().flatMap((e) => (e.code === "invalid_type" ? [words(e.expected)] : []));
      return one(`must be ${[...new Set(kinds)].join(" or ")}, is ${kindOf(found)}`);
    }
    case "invalid_type":
      return one(found === undefined ? "is missing" : `must be ${words(issue.expected)}, is ${kindOf(found)}`);
    case "invalid_value": {
      const hint = typeof found === "string" ? closest(found, issue.values.map(String)) : undefined;
      const options = issue.values.map((v) => `"${String(v)}"`).join(", ");
      const start = found === undefined ? "is missing; one of" : `is "${String(found)}"; must be one of`;
      return one(`${start} ${options}${hint ? `; did you mean "${hint}"?` : ""}`);
    }
    default:
      return one(issue.message);
  }
}

function unknownKey(parent: Path, key: string, known: readonly string[]): string {
  const hint = closest(key, known);
  const where = parent.length > 0 ? ` in "${parent.map(String).join(".")}"` : "";
  return `unknown key "${key}"${where}; ${hint ? `did you mean "${hint}"?` : `known: ${known.join(", ")}`}`;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

function knownKeys(schema: JsonSchema, path: Path): readonly string[] {
  const branches = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const [head, ...rest] = path;
  if (head === undefined) return [...new Set(branches.flatMap((b) => Object.keys(b.properties ?? {})))];
  const next = branches.flatMap((b) => {
    const further = typeof b.additionalProperties === "object" ? b.additionalProperties : undefined;
    return [typeof head === "number" ? b.items : (b.properties?.[String(head)] ?? further)];
  });
  return [...new Set(next.flatMap((n) => (n ? knownKeys(n, rest) : [])))];
}

/** Where a path lies in the text: at its key, or at the nearest parent that is there. */
function offsetOf(root: Node | null, path: Path): number | undefined {
  let node: Node | null | undefined = root;
  let offset = root?.range?.[0];
  for (const part of path) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
      if (!pair) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (node && "items" in node && typeof part === "number") {
      node = (node.items as Node[])[part];
      offset = node?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function named(path: Path): string {
  return path.length > 0 ? `"${path.map(String).join(".")}"` : "the file";
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined),
    value,
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : words(typeof value);
}

function words(type: string): string {
  const known: Readonly<Record<string, string>> = {
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    object: "a map",
    record: "a map",
    array: "a list",
  };
  return known[type] ?? type;
}
