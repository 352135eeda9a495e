import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultCosts } from "../../../service/config/costs.ts";
import { chargesOf } from "../../../service/money/charges.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import { aPreview } from "../../support/previews.ts";

const HERE = { cpuHour: 1, gibHour: 2, diskGibMonth: 3 };
const prices = pricesFor({ costs: { ...defaultCosts, local: HERE } });
const { live } = aPreview({ urls: { web: "http://pr-42-shop.localhost" } }).status;
const specOf = (service: string, database?: string) => {
  if (!live) throw new Error("the preview is not live");
  const driver = (name: string) => ({ driver: name, options: {} });
  const target = { ...live.target, service: driver(service), ...(database ? { database: driver(database) } : {}) };
  return { ...live, target, ...(database ? { database: {} } : {}) };
};
const meters = (lines: readonly { readonly meter: string }[]) => [...new Set(lines.map(({ meter }) => meter))];

describe("what a preview is charged for", () => {
  it("is what was counted where its driver counts, and nothing of that by the hour", () => {
    const { counted, lines } = chargesOf(specOf("local", "clone"), prices, { service: true, database: true });
    assert.deepEqual(counted, { cpu: 1, memory: 2, disk: 3, "database-compute": 1, "database-storage": 3 });
    assert.deepEqual(lines, []);
  });

  it("is reckoned by the hour where nobody counts", () => {
    const { counted, lines } = chargesOf(specOf("local", "clone"), prices, { service: false, database: false });
    assert.deepEqual(counted, {});
    assert.deepEqual(meters(lines), ["cpu", "memory", "disk", "database-storage"]);
  });

  it("is a vendor's database by the hour beside services that are counted", () => {
    const { counted, lines } = chargesOf(specOf("local", "neon"), prices, { service: true, database: false });
    assert.deepEqual(Object.keys(counted), ["cpu", "memory", "disk"]);
    assert.deepEqual(meters(lines), ["database-compute", "database-storage"]);
  });

  it("is a database by the hours that it runs where those have a price, and not by its work", () => {
    const own = pricesFor({ costs: { ...defaultCosts, local: { ...HERE, databaseHour: 5, databaseGibMonth: 7 } } });
    const { counted, lines } = chargesOf(specOf("local", "clone"), own, { service: true, database: true });
    assert.equal(counted["database-compute"], undefined);
    assert.equal(counted["database-storage"], 7);
    assert.deepEqual(
      lines.map(({ meter, costPerHour }) => [meter, costPerHour]),
      [["database-compute", 5]],
    );
  });

  it("is nothing for the data on a server elsewhere that has no price", () => {
    const { counted } = chargesOf(specOf("kubernetes", "clone"), prices, { service: false, database: true });
    assert.deepEqual(counted, {});
  });
});
