import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listHref, listingOf, readListing } from "../../../service/dashboard/listing.ts";
import { aPreview } from "../../support/previews.ts";

describe("the list's pages", () => {
  const many = Array.from({ length: 250 }, (_, index) => aPreview({ number: index + 1 }));
  const broken = aPreview({ number: 300, status: { condition: "Stalled", reason: "BuildFailed" } });
  const gone = (number: number, goneAt: string) => aPreview({ number, status: { goneAt, reason: "Gone" } });
  const numbers = (listing: ReturnType<typeof listingOf>) => listing.previews.map(({ number }) => number);

  it("hold a hundred each, and the last one the rest", () => {
    const third = listingOf([...many, broken], { shown: "all", page: 3 });
    assert.deepEqual([third.previews.length, third.total, third.stalled, third.pages], [51, 251, 1, 3]);
    assert.equal(listingOf(many, { shown: "all", page: 99 }).page, 3);
    assert.equal(listingOf([], { shown: "all", page: 1 }).pages, 1);
  });

  it("show those that are stalled, or gone with the newest first", () => {
    assert.deepEqual(numbers(listingOf([...many, broken], { shown: "stalled", page: 1 })), [300]);
    const all = [gone(1, "2026-11-20T10:00:00.000Z"), gone(2, "2026-11-21T10:00:00.000Z"), broken];
    assert.deepEqual(numbers(listingOf(all, { shown: "gone", page: 1 })), [2, 1]);
  });

  it("are named by the address, and what it says wrongly is the first page of all", () => {
    assert.deepEqual(readListing({ show: "gone", page: "2" }), { shown: "gone", page: 2 });
    for (const page of ["0", "-1", "1e3", ["2"], undefined])
      assert.deepEqual(readListing({ page, show: "x" }), { shown: "all", page: 1 });
    assert.deepEqual(["/?show=gone&page=2", "/"], [listHref("gone", 2), listHref("all")]);
  });
});
