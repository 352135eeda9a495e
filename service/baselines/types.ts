/** Which of PostgreSQL's types may hold text. Pure. */
import type { Column } from "./catalog.ts";

export interface TypeRow {
  readonly oid: string;
  readonly name: string;
  readonly system: boolean;
  /** `typtype` and `typcategory` of `pg_type`. */
  readonly kind: string;
  readonly category: string;
  readonly base: string | null;
  readonly modifier: number;
  readonly element: string | null;
  readonly subtype: string | null;
  readonly parts: readonly string[];
}

/**
 * All others may: a type that nobody thought of must be classified. Addresses in a network and places on a
 * map tell who somebody is, so they are no plain types.
 */
const PLAIN = new Set(
  `bool int2 int4 int8 float4 float8 numeric money oid date time timetz timestamp timestamptz interval uuid
   pg_lsn xid xid8 tid bit varbit`.split(/\s+/),
);
const TEXT = new Set(["text", "varchar", "bpchar", "name"]);
/** What `atttypmod` counts besides the characters: PostgreSQL source, `VARHDRSZ`. */
const HEADER = 4;

export function createTypes(rows: readonly TypeRow[]): {
  describe(oid: string, modifier: number): Pick<Column, "kind" | "ignoresCase" | "maxLength">;
} {
  const byOid = new Map(rows.map((row) => [row.oid, row]));

  /** Without its domains, the innermost length kept. */
  function bare(oid: string, modifier: number): { readonly type: TypeRow | undefined; readonly modifier: number } {
    const type = byOid.get(oid);
    if (type?.kind !== "d" || type.base === null) return { type, modifier };
    return bare(type.base, type.modifier === -1 ? modifier : type.modifier);
  }

  function isPlain(oid: string, above: readonly string[] = []): boolean {
    const { type } = bare(oid, -1);
    if (!type || above.includes(type.oid)) return type !== undefined;
    const inner = [...above, type.oid];
    if (type.kind === "e") return true;
    if (type.kind === "c") return type.parts.every((part) => isPlain(part, inner));
    if (type.subtype !== null) return isPlain(type.subtype, inner);
    if (type.category === "A" && type.element !== null) return isPlain(type.element, inner);
    return type.system && PLAIN.has(type.name);
  }

  const isText = (type: TypeRow | undefined) =>
    type !== undefined && ((type.system && TEXT.has(type.name)) || type.name === "citext");

  return {
    describe(oid, modifier) {
      const outer = bare(oid, modifier);
      const isList = outer.type?.category === "A" && outer.type.element !== null;
      const { type, modifier: length } = isList ? bare(outer.type.element ?? "", outer.modifier) : outer;
      if (!isText(type)) return { kind: isPlain(oid) ? "plain" : "other", ignoresCase: false };
      return {
        kind: isList ? "texts" : "text",
        ignoresCase: type?.name === "citext",
        ...(length > HEADER && type?.name !== "name" ? { maxLength: length - HEADER } : {}),
      };
    },
  };
}
