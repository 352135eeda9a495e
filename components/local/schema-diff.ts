/** What differs between two schemas of a database. Pure. */
import { createHash } from "node:crypto";

/** `schema`, `table`, `column`, `constraint`, `index`, `view`, `function`, `enum`, … */
export interface SchemaObject {
  readonly kind: string;
  /** Of what belongs to a table or view; else empty. */
  readonly table: string;
  readonly name: string;
  /** Its definition in a line; a digest where that has more. */
  readonly says: string;
}

export interface SchemaChange {
  readonly change: "added" | "changed" | "dropped";
  readonly kind: string;
  readonly table?: string;
  readonly name: string;
  /** Definitions, where a person can read them. */
  readonly from?: string;
  readonly to?: string;
}

/** Dropped ones first, tables and columns before all else; a long list is cut. */
export interface SchemaDiff {
  readonly changes: readonly SchemaChange[];
  /** How many there are of each in all. */
  readonly counts: Readonly<Record<SchemaChange["change"], number>>;
  /** Of the newer schema. */
  readonly digest: string;
}

export const MOST_CHANGES = 100;

/** What came and went with its table is told with it. */
export function diffSchemas(before: readonly SchemaObject[], after: readonly SchemaObject[]): SchemaDiff {
  const [old, now] = [byKey(before), byKey(after)];
  const gone = before.filter((object) => !now.has(keyOf(object)));
  const come = after.filter((object) => !old.has(keyOf(object)));
  const changed = after.flatMap((object): SchemaChange[] => {
    const was = old.get(keyOf(object));
    return was && was.says !== object.says ? [{ ...named("changed", object), ...both(was, object) }] : [];
  });
  const changes = [
    ...alone(gone).map((object) => ({
      ...named("dropped", object),
      ...(readable(object) ? { from: object.says } : {}),
    })),
    ...changed,
    ...alone(come).map((object) => ({ ...named("added", object), ...(readable(object) ? { to: object.says } : {}) })),
  ].sort(byWeight);
  const count = (change: SchemaChange["change"]) => changes.filter((one) => one.change === change).length;
  return {
    changes: changes.slice(0, MOST_CHANGES),
    counts: { added: count("added"), changed: count("changed"), dropped: count("dropped") },
    digest: digestOf(after),
  };
}

/** Equal for equal schemas. */
function digestOf(objects: readonly SchemaObject[]): string {
  const lines = objects.map((object) => JSON.stringify([keyOf(object), object.says])).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 32);
}

function byKey(objects: readonly SchemaObject[]): ReadonlyMap<string, SchemaObject> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

function keyOf({ kind, table, name }: SchemaObject): string {
  return JSON.stringify([kind, table, name]);
}

const HOLDERS: ReadonlySet<string> = new Set(["table", "view", "materialized view"]);

function alone(objects: readonly SchemaObject[]): readonly SchemaObject[] {
  const whole = new Set(objects.filter(({ kind }) => HOLDERS.has(kind)).map(({ name }) => name));
  return objects.filter(({ table }) => table === "" || !whole.has(table));
}

function named(change: SchemaChange["change"], { kind, table, name }: SchemaObject): SchemaChange {
  return { change, kind, ...(table === "" ? {} : { table }), name };
}

function both(was: SchemaObject, is: SchemaObject): Pick<SchemaChange, "from" | "to"> {
  return readable(is) ? { from: was.says, to: is.says } : {};
}

/** The others are digests, or say nothing of their own. */
const READABLE: ReadonlySet<string> = new Set([
  "table",
  "column",
  "constraint",
  "index",
  "enum",
  "domain",
  "type",
  "sequence",
  "extension",
]);

function readable({ kind, says }: SchemaObject): boolean {
  return READABLE.has(kind) && says !== "";
}

const ORDER = { dropped: 0, changed: 1, added: 2 } as const;

function byWeight(one: SchemaChange, other: SchemaChange): number {
  return ORDER[one.change] - ORDER[other.change] || weightOf(one) - weightOf(other);
}

function weightOf({ kind }: SchemaChange): number {
  return kind === "table" ? 0 : kind === "column" ? 1 : 2;
}
