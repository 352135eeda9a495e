import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultCosts } from "../../../service/config/costs.ts";
import { listedPrices, type PriceFile, priceFile } from "../../../service/money/price-file.ts";
import { createPrices } from "../../../service/money/prices.ts";

const source = { page: "https://example.com/pricing", date: "2026-11-22" };

describe("the price files", () => {
  it("say of each price where and when it was read", () => {
    for (const { vendor, prices, date } of listedPrices()) {
      for (const { name, source: read } of prices) {
        assert.match(read.page, /^https:\/\/|^docs\//, `${vendor} ${name}`);
        assert.ok(read.date <= date, `${vendor} ${name}`);
      }
    }
  });

  it("have each name once, and refer to prices that are there", () => {
    for (const { vendor, prices } of listedPrices()) {
      const names = prices.map(({ name }) => name);
      assert.deepEqual(names, [...new Set(names)], vendor);
      for (const { name, regions, otherwise } of prices) {
        if (!otherwise) continue;
        if ("of" in otherwise) assert.ok(names.includes(otherwise.of), `${vendor} ${name}`);
        else assert.ok(regions?.[otherwise.region] !== undefined, `${vendor} ${name}`);
      }
    }
  });

  it("refuse a price without a source, and one that is both regional and not", () => {
    const file = (price: object) =>
      priceFile.safeParse({ vendor: "AWS", currency: "USD", date: "2026-11-22", prices: [price] }).success;
    const price = { name: "secret", unit: "unit-months", source, price: 0.4 };
    assert.equal(file(price), true);
    assert.equal(file({ ...price, source: undefined }), false);
    assert.equal(file({ ...price, regions: { "us-east-1": 1 } }), false);
    assert.equal(file({ ...price, price: -1 }), false);
  });
});

describe("a price", () => {
  const file = (...prices: PriceFile["prices"]): PriceFile => ({
    ...{ vendor: "AWS", currency: "USD", date: "2026-11-22" },
    prices,
  });

  it("is the operator's before the list's", () => {
    const [mine, theirs] = [0.2, 0.4].map((price) => file({ name: "secret", unit: "unit-months", source, price }));
    assert.ok(mine && theirs);
    assert.deepEqual(createPrices([mine, theirs], defaultCosts).listed("AWS", "secret"), { amount: 0.2 });
  });

  it("ends, however a file of somebody's goes in circles", () => {
    const circle = file(
      { name: "a", unit: "hours", source, regions: {}, otherwise: { times: 2, of: "b" } },
      { name: "b", unit: "hours", source, regions: {}, otherwise: { times: 2, of: "a" } },
    );
    assert.equal(createPrices([circle], defaultCosts).listed("AWS", "a", "us-east-1"), undefined);
  });

  it("of a region is none of an object's own words", () => {
    const one = file({ name: "a", unit: "hours", source, regions: { "us-east-1": 1 } });
    assert.equal(createPrices([one], defaultCosts).listed("AWS", "a", "constructor"), undefined);
  });
});
