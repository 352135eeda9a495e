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
  const parsed = schema.safeParse(plain.value);
  if (parsed.success) return { value: parsed.data, problems: [], problemAt };
  const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const problems = parsed.error.issues.flatMap((issue) => describe(issue, [], shape, plain.value));
  return { problems: byLine(problems.map((p) => problemAt(p.path, p.message))), problemAt };
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

interface PlacedMessage {
  readonly path: Path;
  readonly message: string;
}

function describe(issue: z.core.$ZodIssue, above: Path, shape: JsonSchema, value: unknown): readonly PlacedMessage[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(path, key, shape) }));
  }
  if (issue.code === "invalid_key") {
    const reason = issue.issues[0]?.message ?? "is not allowed here";
    return [{ path, message: `name "${String(path.at(-1))}" ${reason}` }];
  }
  if (issue.code === "invalid_union") {
    const branch = issue.errors.find((errors) => !errors.some((e) => e.path.length === 0 && e.code === "invalid_type"));
    if (branch) return branch.flatMap((inner) => describe(inner, path, shape, value));
    const expected = issue.errors.flat().flatMap((e) => (e.code === "invalid_type" ? [words(e.expected)] : []));
    return [
      { path, message: `${named(path)} must be ${[...new Set(expected)].join(" or ")}, is ${kindAt(value, path)}` },
    ];
  }
  if (issue.code === "invalid_type") {
    const found = valueAt(value, path);
    if (found === undefined) return [{ path, message: `${named(path)} is missing` }];
    return [{ path, message: `${named(path)} must be ${words(issue.expected)}, is ${kindAt(value, path)}` }];
  }
  if (issue.code === "invalid_value") {
    const given = valueAt(value, path);
    const hint = typeof given === "string" ? closest(given, issue.values.map(String)) : undefined;
    const options = issue.values.map((v) => `"${String(v)}"`).join(", ");
    const found = given === undefined ? "is missing; one of" : `is "${String(given)}"; must be one of`;
    return [{ path, message: `${named(path)} ${found} ${options}${hint ? `; did you mean "${hint}"?` : ""}` }];
  }
  return [{ path, message: `${named(path)} ${issue.message}` }];
}

function unknownKey(parent: Path, key: string, shape: JsonSchema): string {
  const known = knownKeys(shape, parent);
  const hint = closest(key, known);
  const where = parent.length > 0 ? ` in "${parent.map(String).join(".")}"` : "";
  if (hint) return `unknown key "${key}"${where}; did you mean "${hint}"?`;
  return `unknown key "${key}"${where}; known: ${known.join(", ")}`;
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

function kindAt(root: unknown, path: Path): string {
  const value = valueAt(root, path);
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
