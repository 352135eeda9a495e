import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffSchemas, MOST_CHANGES, type SchemaObject } from "../../../components/local/schema-diff.ts";

const table = (name: string): SchemaObject => ({ kind: "table", table: "", name, says: "" });
const column = (of: string, name: string, says = "text"): SchemaObject => ({ kind: "column", table: of, name, says });

const BASE = [table("orders"), column("orders", "id", "bigint not null"), column("orders", "note")];

describe("what differs between two schemas", () => {
  const cases: readonly {
    readonly name: string;
    readonly after: readonly SchemaObject[];
    readonly before?: readonly SchemaObject[];
    readonly changes: readonly string[];
  }[] = [
    { name: "nothing", after: [...BASE].reverse(), changes: [] },
    {
      name: "a column more",
      after: [...BASE, column("orders", "total", "numeric default 0")],
      changes: ["added column orders.total: → numeric default 0"],
    },
    {
      name: "a column of another type",
      after: [BASE[0] as SchemaObject, column("orders", "id", "integer not null"), column("orders", "note")],
      changes: ["changed column orders.id: bigint not null → integer not null"],
    },
    { name: "a column dropped", after: BASE.slice(0, 2), changes: ["dropped column orders.note: text →"] },
    { name: "a table dropped, without its columns", after: [], changes: ["dropped table orders"] },
    {
      name: "a table added, without its columns, indexes and constraints",
      after: [
        ...BASE,
        table("refunds"),
        column("refunds", "id"),
        { kind: "index", table: "refunds", name: "refunds_id", says: "btree (id)" },
        { kind: "constraint", table: "refunds", name: "refunds_pkey", says: "PRIMARY KEY (id)" },
      ],
      changes: ["added table refunds"],
    },
    {
      name: "a function of another body, whose digest says nothing to a person",
      before: [{ kind: "function", table: "", name: "total()", says: "1f" }],
      after: [{ kind: "function", table: "", name: "total()", says: "2f" }],
      changes: ["changed function total()"],
    },
    {
      name: "what dropped first, tables and columns before the rest",
      before: [{ kind: "index", table: "orders", name: "by_note", says: "btree (note)" }, ...BASE],
      after: [...BASE.slice(0, 2), column("orders", "added"), table("new")],
      changes: [
        "dropped column orders.note: text →",
        "dropped index orders.by_note: btree (note) →",
        "added table new",
        "added column orders.added: → text",
      ],
    },
    {
      name: "a name that is another's prefix, apart",
      before: [column("a", "b.c")],
      after: [column("a.b", "c")],
      changes: ["dropped column a.b.c: text →", "added column a.b.c: → text"],
    },
  ];
  for (const { name, before = BASE, after, changes } of cases) {
    it(`tells ${name}`, () => {
      const said = diffSchemas(before, after).changes.map(({ change, kind, table, name, from, to }) => {
        const says = from === undefined && to === undefined ? "" : `: ${from ?? ""} → ${to ?? ""}`;
        return `${change} ${kind} ${table === undefined ? "" : `${table}.`}${name}${says}`
          .replace(/: {2}/, ": ")
          .trim();
      });
      assert.deepEqual(said, changes);
    });
  }

  it("cuts a long list behind what stands out, and counts all of it", () => {
    const many = Array.from({ length: 500 }, (_, index) => table(`t${index}`));
    const diff = diffSchemas(BASE, [...BASE.slice(0, 2), ...many]);
    assert.equal(diff.changes.length, MOST_CHANGES);
    assert.equal(diff.changes[0]?.change, "dropped");
    assert.deepEqual(diff.counts, { added: 500, changed: 0, dropped: 1 });
  });

  it("gives equal schemas one digest, in whatever order they were read", () => {
    const digest = (objects: readonly SchemaObject[]) => diffSchemas([], objects).digest;
    assert.equal(digest(BASE), digest([...BASE].reverse()));
    assert.notEqual(digest(BASE), digest(BASE.slice(1)));
  });
});
