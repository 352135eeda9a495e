import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type PreviewSpec, previewSpec, specDigest } from "../../infra/spec.ts";
import { spec } from "./world/world.ts";

describe("the spec", () => {
  it("survives the way through JSON", () => {
    const wish = spec("shop-pr-1");
    assert.deepEqual(previewSpec.parse(JSON.parse(JSON.stringify(wish))), wish);
  });

  const bad: readonly [string, Partial<Record<keyof PreviewSpec, unknown>>][] = [
    ["an unknown key", { colour: "red" } as object],
    ["a commit that is not a full object id", { source: { ...spec("s").source, commit: "main" } }],
    ["a health path without a slash", { services: [{ ...spec("s").services[0], healthPath: "health" }] }],
    ["no service", { services: [] }],
    ["a negative generation", { generations: { ...spec("s").generations, deploy: -1 } }],
    ["another version", { version: 2 }],
  ];
  for (const [what, change] of bad) {
    it(`is refused with ${what}`, () => {
      assert.equal(previewSpec.safeParse({ ...spec("shop-pr-1"), ...change }).success, false);
    });
  }

  it("has another digest for another commit of a linked repository, and for none the one that it had", () => {
    const wish = spec("shop-pr-1");
    const linked = (digit: string, number?: number) => {
      const sources = { api: { ...wish.source, name: "api", commit: digit.repeat(40), ...(number ? { number } : {}) } };
      return previewSpec.parse(JSON.parse(JSON.stringify({ ...wish, sources })));
    };
    const digests = [wish, linked("a"), linked("b"), linked("a", 7)].map(specDigest);
    assert.equal(new Set(digests).size, 4);
    assert.equal(specDigest({ ...wish, sources: undefined }), digests[0]);
  });

  it("has the same digest whatever the order of its keys", () => {
    const wish = spec("shop-pr-1");
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(wish), { minLength: Object.keys(wish).length }), (entries) => {
        assert.equal(specDigest(Object.fromEntries(entries) as PreviewSpec), specDigest(wish));
      }),
    );
  });

  it("has the same digest whether its target is found to hold it back or not, and another for other hosts", () => {
    const egress = { hosts: ["api.example.dev"], trusted: [], direct: [], enforced: true };
    const digestOf = (changes: Partial<typeof egress>) =>
      specDigest({ ...spec("shop-pr-1"), egress: { ...egress, ...changes } });
    assert.equal(digestOf({ enforced: false }), digestOf({}));
    assert.notEqual(digestOf({ hosts: [] }), digestOf({}));
  });

  it("has another digest when a nested value or the order of a list changes", () => {
    const wish = spec("shop-pr-1", [{ name: "one" }, { name: "two" }]);
    const digests = [wish, spec("shop-pr-1", [{ name: "two" }, { name: "one" }]), { ...wish, tags: { preview: "x" } }];
    assert.equal(new Set(digests.map(specDigest)).size, 3);
  });
});
