import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { forStrangers, isWanted, listHref, listingOf, readListing } from "../../../service/dashboard/listing.ts";
import type { Preview } from "../../../service/status.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { aPreview, COMMIT } from "../../support/previews.ts";

const URLS = { web: "http://pr-1-shop.localhost:4000" };

describe("the list", () => {
  const many = Array.from({ length: 450 }, (_, index) => aPreview({ number: index + 1 }));
  const broken = aPreview({ number: 900, status: { condition: "Stalled", reason: "BuildFailed" } });
  const gone = (number: number, goneAt: string) => aPreview({ number, status: { goneAt, reason: "Gone" } });
  const by = (number: number, author: string, title = "Show the cart total"): Preview => ({
    ...aPreview({ number, urls: URLS }),
    pullRequest: pullRequest(number, COMMIT, { author, title }),
  });
  const ask = (previews: readonly Preview[], query: Record<string, unknown> = {}) =>
    listingOf(previews, readListing(query));
  const keys = (previews: readonly Preview[], query: Record<string, unknown> = {}) =>
    ask(previews, query).previews.map(({ key }) => key);

  it("holds two hundred a page, and the last one the rest", () => {
    const third = ask([...many, broken], { page: "3" });
    assert.deepEqual([third.previews.length, third.total, third.pages], [51, 451, 3]);
    assert.equal(ask(many, { page: "99" }).page, 3);
    assert.equal(ask([]).pages, 1);
  });

  it("finds by key, title, branch and author, in any case", () => {
    const previews = [by(1, "Ada"), by(2, "grace", "Let people pay by invoice"), aPreview({ number: 12 })];
    assert.deepEqual(keys(previews, { q: "SHOP#1" }), ["shop#1", "shop#12"]);
    assert.deepEqual(keys(previews, { q: "invoice" }), ["shop#2"]);
    assert.deepEqual(keys(previews, { q: "feature-12" }), ["shop#12"]);
    assert.deepEqual(keys(previews, { q: "ada" }).includes("shop#1"), true);
    assert.deepEqual(keys(previews, { q: "nothing like it" }), []);
  });

  it("narrows by repository, condition, stage of life and author", () => {
    const other = aPreview({
      number: 5,
      repository: "billing",
      urls: URLS,
      status: { awake: false, reason: "Asleep" },
    });
    const previews = [by(1, "Ada"), by(2, "grace"), other, broken, gone(7, "2026-11-20T10:00:00.000Z")];
    assert.deepEqual(keys(previews, { repository: "billing" }), ["billing#5"]);
    assert.deepEqual(keys(previews, { status: "Stalled" }), ["shop#900"]);
    assert.deepEqual(keys(previews, { reason: "Asleep" }), ["billing#5"]);
    assert.deepEqual(keys(previews, { reason: "Asleep", repository: "shop" }), []);
    assert.deepEqual(keys(previews, { stage: "Asleep" }), ["billing#5"]);
    assert.deepEqual(keys(previews, { stage: "Gone" }), ["shop#7"]);
    assert.deepEqual(keys(previews, { author: "grace" }), ["shop#2"]);
    assert.deepEqual(keys(previews, { author: "grace", repository: "billing" }), []);
    assert.equal(isWanted(other, readListing({ stage: "Active" })), false);
  });

  it("is sorted by any column, with what has no such value last either way", () => {
    const visited = { ...by(1, "Ada"), lastVisitAt: "2026-11-20T10:00:00.000Z" };
    const lately = { ...by(2, "grace"), lastVisitAt: "2026-11-21T10:00:00.000Z" };
    const never = by(3, "barbara");
    const all = [visited, never, lately, broken];
    assert.deepEqual(keys(all, { sort: "visit" }), ["shop#2", "shop#1", "shop#3", "shop#900"]);
    assert.deepEqual(keys(all, { sort: "-visit" }), ["shop#1", "shop#2", "shop#3", "shop#900"]);
    assert.equal(keys(all, { sort: "status" })[0], "shop#900");
    assert.deepEqual(keys(all, { sort: "-pull" }), ["shop#900", "shop#3", "shop#2", "shop#1"]);
    assert.deepEqual(keys([visited, never, lately], { sort: "author" }), ["shop#1", "shop#3", "shop#2"]);
    const ends = listingOf(all, readListing({ sort: "expires" }), ({ key }) =>
      key === "shop#3" ? { idleSince: "", idleStop: "2026-11-22T00:00:00.000Z" } : undefined,
    );
    assert.equal(ends.previews[0]?.key, "shop#3");
  });

  it("shows the newest of those that are gone first", () => {
    const all = [gone(1, "2026-11-20T10:00:00.000Z"), gone(2, "2026-11-21T10:00:00.000Z"), broken];
    assert.deepEqual(keys(all, { stage: "Gone" }), ["shop#2", "shop#1"]);
  });

  it("counts what is there, names who waits longest first, and keeps stages apart", () => {
    const waits = (number: number, since: string) => aPreview({ number, status: { reason: "Queued", since } });
    const stage: Preview = { ...aPreview({ urls: URLS }), key: "shop:staging", stack: "shop-st-staging" };
    const all = [
      waits(8, "2026-11-21T10:05:00.000Z"),
      waits(9, "2026-11-21T10:01:00.000Z"),
      by(1, "Ada"),
      broken,
      stage,
    ];
    const { counts, queue, stages, total } = ask(all);
    assert.deepEqual(counts, { here: 4, active: 1, asleep: 0, stalled: 1 });
    assert.deepEqual(
      queue.map(({ key }) => key),
      ["shop#9", "shop#8"],
    );
    assert.deepEqual([stages.map(({ key }) => key), total], [["shop:staging"], 4]);
  });

  it("is named by the address, and what that says wrongly is not asked for", () => {
    const wish = readListing({ q: " a&b ", status: "Stalled", reason: "BuildFailed", sort: "-visit", page: "2" });
    assert.equal(listHref(wish), "/?q=a%26b&status=Stalled&reason=BuildFailed&sort=-visit&page=2");
    assert.deepEqual(readListing(Object.fromEntries(new URLSearchParams(listHref(wish).slice(2)))), wish);
    for (const page of ["0", "-1", "1e3", ["2"], undefined]) {
      assert.equal(listHref(readListing({ page, status: "x", stage: ["Gone"], sort: "constructor" })), "/");
    }
  });

  it("tells strangers nothing by what they ask for", () => {
    const asked = forStrangers(readListing({ q: "secret", author: "ada", sort: "author", repository: "shop" }));
    assert.equal(listHref(asked), "/?repository=shop");
  });
});
