import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Catalog, Column, Table } from "../../../service/baselines/catalog.ts";
import { planMasks, UnclassifiedError } from "../../../service/baselines/rules.ts";
import type { ColumnRules } from "../../../service/config/baselines.ts";

const column = (name: string, more: Partial<Column> = {}): Column => ({
  name,
  type: "text",
  kind: "text",
  ignoresCase: false,
  notNull: false,
  generated: false,
  ...more,
});
const number: Partial<Column> = { type: "integer", kind: "plain" };
const users: Table = {
  oid: "1",
  name: "users",
  sql: "public.users",
  partitioned: false,
  columns: [
    column("id", { ...number, notNull: true }),
    column("email", { notNull: true, unique: "alone" }),
    column("note"),
    column("data", { type: "jsonb", kind: "other" }),
    column("search", { type: "tsvector", kind: "other", generated: true }),
  ],
};
const logins: Table = {
  oid: "2",
  name: "audit.logins",
  sql: "audit.logins",
  partitioned: false,
  columns: [column("email")],
};
const catalog: Catalog = {
  tables: [users, logins],
  foreignKeys: [
    {
      oid: "3",
      name: "logins_email_fkey",
      on: "audit.logins",
      from: "2",
      to: "1",
      fromColumns: ["email"],
      toColumns: ["email"],
      definition: "",
      comment: null,
    },
  ],
  largeObjects: 0,
};
const whole: ColumnRules = {
  users: { email: { fake: "email" }, note: "null", data: { sql: "'{}'" } },
  "audit.logins": { email: { fake: "email" } },
};
const plan = (columns: ColumnRules, found: Catalog = catalog) => planMasks({ name: "main", columns }, found);
const faultsOf = (columns: ColumnRules, found: Catalog = catalog): string => {
  try {
    plan(columns, found);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "";
};

describe("rules of a baseline", () => {
  it("stop it when columns that may hold text have none, listing all with lines to copy", () => {
    const { note: _, ...users } = whole.users ?? {};
    assert.throws(
      () => plan({ users }),
      (error) => {
        assert.ok(error instanceof UnclassifiedError);
        assert.deepEqual(error.columns, [
          { table: "users", column: "note", type: "text" },
          { table: "audit.logins", column: "email", type: "text" },
        ]);
        assert.match(
          error.userMessage,
          / {2}columns:\n {4}users:\n {6}note: CHOOSE\n {4}audit\.logins:\n {6}email: \{fake: email\}$/,
        );
        return true;
      },
    );
  });

  it("ask nothing for numbers and for what is computed", () => {
    assert.deepEqual(
      plan(whole).map(({ table, columns }) => [table.name, columns.map((one) => one.column.name)]),
      [
        ["users", ["email", "note", "data"]],
        ["audit.logins", ["email"]],
      ],
    );
  });

  it("change nothing that is to be kept", () => {
    const keep = { users: { email: "keep", note: "keep", data: "keep" }, "audit.logins": { email: "keep" } } as const;
    assert.deepEqual(plan(keep), []);
  });

  it("are refused for tables and columns that are not there, with the near ones named", () => {
    const faults = faultsOf({ ...whole, users: { ...whole.users, emial: "keep" }, uses: {} });
    assert.match(faults, /no column "users\.emial"; did you mean "email"\?/);
    assert.match(faults, /no table "uses"; did you mean "users"\?/);
  });

  it("are refused where they cannot be followed, all at once", () => {
    const faults = faultsOf({
      users: { id: "hash", email: "null", note: "keep", data: "hash", search: "null" },
      "audit.logins": { email: "null" },
    });
    assert.match(faults, /"users\.id" is of type integer, which hash cannot change/);
    assert.match(faults, /"users\.email" cannot be null/);
    assert.match(faults, /"users\.data" is of type jsonb/);
    assert.match(faults, /"users\.search" is computed/);
    const short = faultsOf({
      ...whole,
      users: { ...whole.users, email: { truncate: 2 } },
      "audit.logins": { email: { truncate: 2 } },
    });
    assert.match(short, /"users\.email" is unique and would not stay so/);
  });

  it("are refused where a foreign key would lead nowhere", () => {
    assert.match(
      faultsOf({ ...whole, "audit.logins": { email: "hash" } }),
      /"audit\.logins\.email" refers to "users\.email".*they are hash and \{fake: email\}/,
    );
    assert.equal(faultsOf({ ...whole, "audit.logins": { email: "null" } }), "");
  });

  it("must say what becomes of large objects where there are any", () => {
    assert.match(faultsOf(whole, { ...catalog, largeObjects: 3 }), /3 large objects/);
    assert.equal(
      planMasks({ name: "main", columns: whole, largeObjects: "remove" }, { ...catalog, largeObjects: 3 }).length,
      2,
    );
  });

  it("may be written with the schema public", () => {
    const { users: rules = {}, ...rest } = whole;
    assert.equal(plan({ "public.users": rules, ...rest }).length, 2);
  });
});
