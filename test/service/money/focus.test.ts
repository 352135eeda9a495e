/** Exports against the column rules of FOCUS 1.2: test/fixtures/focus-1.2.json says where they come from. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { focusCsv } from "../../../service/money/focus/csv.ts";
import { createExport } from "../../../service/money/focus/export.ts";
import { focusParquet } from "../../../service/money/focus/parquet.ts";
import { type FocusValue, focusColumns, focusRows } from "../../../service/money/focus/rows.ts";
import type { DayCost } from "../../../service/money/ledger.ts";
import { COST_SOURCES, type CostAbout, METERS, UNITS } from "../../../service/money/types.ts";

interface Rule {
  readonly level: "mandatory" | "conditional" | "recommended";
  readonly type: "String" | "Decimal" | "Date/Time" | "JSON";
  readonly nulls: boolean;
  readonly allowed?: readonly string[];
  readonly of?: Readonly<Record<string, string>>;
}

const { columns: rules }: { columns: Readonly<Record<string, Rule>> } = JSON.parse(
  readFileSync(new URL("../../fixtures/focus-1.2.json", import.meta.url), "utf8"),
);

const line = (more: Partial<DayCost> = {}): DayCost => ({
  ...{ key: "shop#42", day: "2026-11-30", source: "metered", meter: "cpu", unit: "vCPU-hours" },
  ...{ quantity: 1.5, cost: 0.015, currency: "USD", ...more },
});

const about: CostAbout = {
  ...{ key: "shop#42", repository: "shop", number: 42, author: "ada", target: "local" },
  ...{ team: "checkout", costCenter: "cc-7", owner: "ada" },
};
const abouts = new Map([[about.key, about]]);

/** Every source, meter and unit there is, one that nobody knows anything about, and one that costs nothing. */
const lines: readonly DayCost[] = [
  ...METERS.map((meter) => line({ meter })),
  ...COST_SOURCES.map((source) => line({ source })),
  ...UNITS.map((unit) => line({ unit })),
  line({ key: "gone@feature/x", meter: "other" }),
  line({ quantity: 0, cost: 0 }),
  line({ cost: -0.0000001, source: "aws" }),
  line({ day: "2026-12-31" }),
];

type Row = Readonly<Record<string, FocusValue>>;

const rowsOf = (some: readonly DayCost[]): readonly Row[] =>
  [...focusRows(some, { abouts, account: "preview.acme.dev" })].map((values) =>
    Object.fromEntries(focusColumns.map(({ name }, index) => [name, values[index] ?? null])),
  );

const rows = rowsOf(lines);

/** What the specification demands across columns, in its own words. */
const together: Readonly<Record<string, (row: Row) => boolean>> = {
  "ChargeClass MUST be null when the row does not represent a correction": (row) => row.ChargeClass === null,
  "ConsumedQuantity MUST NOT be null when ChargeCategory is Usage": (row) => row.ConsumedQuantity !== null,
  "ConsumedUnit MUST NOT be null when ConsumedQuantity is not null": (row) => row.ConsumedUnit !== null,
  "PricingQuantity MUST NOT be null when ChargeCategory is Usage": (row) => row.PricingQuantity !== null,
  "PricingUnit MUST NOT be null when PricingQuantity is not null": (row) => row.PricingUnit !== null,
  "ContractedCost MUST match BilledCost without a ContractedUnitPrice": (row) => row.ContractedCost === row.BilledCost,
  "ListCost MUST match BilledCost without a ListUnitPrice": (row) => row.ListCost === row.BilledCost,
  "ResourceType MUST NOT be null when ResourceId is not null": (row) => row.ResourceType !== null,
  "ResourceName MUST NOT duplicate ResourceId": (row) => row.ResourceName !== row.ResourceId,
  "SubAccountName MUST NOT be null when SubAccountId is not null": (row) => row.SubAccountName !== null,
  "InvoiceId MUST be null when the charge is not associated with an invoice": (row) => row.InvoiceId === null,
  "ServiceSubcategory has one and only one parent ServiceCategory": (row) =>
    rules.ServiceSubcategory?.of?.[String(row.ServiceSubcategory)] === row.ServiceCategory,
  "the charge period lies in the billing period, whose ends are exclusive": (row) =>
    String(row.BillingPeriodStart) <= String(row.ChargePeriodStart) &&
    String(row.ChargePeriodStart) < String(row.ChargePeriodEnd) &&
    String(row.ChargePeriodEnd) <= String(row.BillingPeriodEnd),
};

/** Unit Format: `<plural-units>` or `<singular-unit>-<plural-time-units>`, of the units that it lists. */
const UNIT = /^((GiB|Core|Unit|Request)-(Hours|Months|Days)|GiB|Hours|Units|Requests)$/;

describe("an export of costs", () => {
  it("has every mandatory column of FOCUS 1.2, its own behind them", () => {
    const names = focusColumns.map(({ name }) => name);
    const lacking = Object.keys(rules).filter((name) => rules[name]?.level === "mandatory" && !names.includes(name));
    assert.deepEqual(lacking, []);
    const own = names.filter((name) => !Object.hasOwn(rules, name));
    assert.ok(own.every((name) => /^x_[A-Z][A-Za-z]{1,47}$/.test(name)));
    assert.deepEqual(names.slice(-own.length), own);
    assert.deepEqual(names, [...new Set(names)]);
  });

  it("has values of each column's type, format and list, and nulls where they may be", () => {
    for (const row of rows) {
      for (const [name, value] of Object.entries(row)) {
        const rule = rules[name];
        if (!rule) continue;
        const where = `${name} ${JSON.stringify(value)}`;
        if (value === null) {
          assert.ok(rule.nulls, where);
          continue;
        }
        if (rule.type === "Decimal") assert.ok(typeof value === "number" && Number.isFinite(value), where);
        else assert.ok(typeof value === "string" && value.trim() !== "", where);
        if (rule.type === "Date/Time") assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, where);
        if (rule.allowed) assert.ok(rule.allowed.includes(String(value)), where);
        if (name.endsWith("Unit")) assert.match(String(value), UNIT, where);
        if (name.endsWith("Currency")) assert.match(String(value), /^[A-Z]{3}$/, where);
        if (rule.type !== "JSON") continue;
        // Key-Value Format: an object without objects or arrays in it.
        const tags: unknown = JSON.parse(String(value));
        assert.ok(typeof tags === "object" && tags !== null && !Array.isArray(tags), where);
        assert.ok(
          Object.values(tags).every((one) => typeof one !== "object"),
          where,
        );
      }
    }
  });

  it("says what its columns must say together", () => {
    for (const row of rows) for (const [says, holds] of Object.entries(together)) assert.ok(holds(row), says);
    const categories = new Map<FocusValue, FocusValue>();
    for (const { ServiceName = null, ServiceCategory = null } of rows) {
      assert.equal(categories.get(ServiceName) ?? ServiceCategory, ServiceCategory, `${ServiceName}`);
      categories.set(ServiceName, ServiceCategory);
    }
  });

  it("bears the tags that previews' resources bear", () => {
    const [row] = rowsOf([line()]);
    assert.deepEqual(JSON.parse(String(row?.Tags)), {
      ...{ preview: "shop#42", repository: "shop", "pull-request": "42", owner: "ada" },
      ...{ team: "checkout", "cost-center": "cc-7" },
    });
    assert.equal(row?.BillingPeriodEnd, "2026-12-01T00:00:00Z");
    assert.equal(row?.x_Team, "checkout");
    assert.equal(row?.x_Basis, "estimated");
  });

  it("is CSV that any program reads and no spreadsheet runs", () => {
    const hostile = { ...about, author: '=HYPERLINK("http://evil","x")', team: "a,b\nc" };
    const values = focusRows([line({ cost: 1e-9 })], { abouts: new Map([[about.key, hostile]]), account: "acme" });
    const [names = [], first = [], ...rest] = readCsv([...focusCsv(values)].join(""));
    assert.deepEqual(rest, []);
    const row = Object.fromEntries(names.map((name, index) => [name, first[index]]));
    assert.equal(row.x_Author, `'=HYPERLINK("http://evil","x")`);
    assert.equal(row.x_Team, "a,b\nc");
    assert.equal(row.BillingAccountName, "");
    assert.equal(row.BilledCost, "1E-9");
    assert.equal(row.ChargePeriodStart, "2026-11-30T00:00:00Z");
  });

  it("is Parquet with the same values in the types of its columns", async () => {
    const values = [...focusRows(lines, { abouts, account: "preview.acme.dev" })];
    const { buffer, byteOffset, byteLength } = await focusParquet(values);
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const read = await parquetReadObjects({ file });
    const text = (value: unknown) => (value instanceof Date ? value.toISOString().replace(".000Z", "Z") : value);
    const plain = read.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value)])),
    );
    const expected = values.map((row) =>
      Object.fromEntries(focusColumns.map(({ name }, at) => [name, row[at] ?? null])),
    );
    assert.deepEqual(plain, expected);
    const { schema, key_value_metadata: notes = [] } = parquetMetadata(file);
    const typeOf = (name: string) => schema.find((one) => one.name === name);
    assert.equal(typeOf("BilledCost")?.type, "DOUBLE");
    assert.equal(typeOf("ChargePeriodStart")?.converted_type, "TIMESTAMP_MILLIS");
    assert.ok(notes.some(({ key, value }) => key === "focus_version" && value === "1.2"));
  });

  it("of a month with nothing in it has its columns all the same", async () => {
    assert.match([...focusCsv([])].join(""), /^BilledCost,.*x_Team\r\n$/);
    const { buffer, byteOffset, byteLength } = await focusParquet([]);
    const { num_rows: count } = parquetMetadata(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
    assert.equal(Number(count), 0);
  });

  it("of very many previews comes in pieces, and nothing of it is lost between them", () => {
    const many = Array.from({ length: 1000 }, (_, index) => line({ key: `shop#${index + 1}`, cost: index }));
    const pieces = [...focusCsv(focusRows(many, { abouts, account: "acme" }))];
    assert.ok(pieces.length > 3);
    assert.ok(pieces.every((piece) => piece.length < 70_000));
    const [, ...found] = readCsv(pieces.join(""));
    const sum = found.reduce((total, [cost]) => total + Number(cost), 0);
    assert.deepEqual([found.length, sum], [1000, (999 * 1000) / 2]);
  });

  it("takes a vendor's word in place of what was counted, and no cost twice", async () => {
    const asked: unknown[] = [];
    const costs = [line({ cost: 1 }), line({ meter: "memory", cost: 1 }), line({ source: "aws", cost: 5 })];
    const store = {
      costs: async (query: unknown) => {
        asked.push(query);
        return costs;
      },
      costsAbout: async () => abouts,
    };
    const made = await createExport({ store, account: "acme" })({
      ...{ from: "2026-11-01", to: "2026-11-30", format: "csv", repositories: ["shop"] },
    });
    const [names = [], ...found] = readCsv([...made].join(""));
    const at = names.indexOf("BilledCost");
    assert.deepEqual(
      found.map((row) => row[at]),
      ["5"],
    );
    assert.deepEqual(asked, [{ from: "2026-11-01", to: "2026-11-30", repositories: ["shop"] }]);
  });
});

/** RFC 4180 */
function readCsv(text: string): readonly (readonly string[])[] {
  const found: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    found.push(row);
    row = [];
  }
  return found;
}
