import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { previewDatabaseName } from "../../components/local/database-names.ts";
import { formatKey, hostName, isStage, isStageName, type PreviewKey, parseKey, stackName } from "../../infra/names.ts";

const repository = fc.stringMatching(/^[a-z]([a-z0-9-]{0,79}[a-z0-9])?$/);
const gitBranch = fc
  .string({ minLength: 1, maxLength: 200, unit: "grapheme" })
  .filter((name) => /^\S/.test(name) && !/[\r\n\u2028\u2029]/.test(name));
const key: fc.Arbitrary<PreviewKey> = fc.oneof(
  fc
    .tuple(repository, fc.integer({ min: 1, max: 2_147_483_647 }))
    .map(([name, number]) => ({ repository: name, number })),
  fc.tuple(repository, gitBranch).map(([name, branch]) => ({ repository: name, gitBranch: branch })),
  fc
    .tuple(repository, fc.stringMatching(/^[a-z][a-z0-9]{0,19}$/).filter(isStageName))
    .map(([name, stage]) => ({ repository: name, stage })),
);
const service = fc.option(fc.stringMatching(/^[a-z][a-z0-9-]{0,29}$/), { nil: undefined });

describe("names", () => {
  const shop42 = { repository: "shop", number: 42 };
  const table: readonly [string, string, string][] = [
    ["key of a pull request", formatKey(shop42), "shop#42"],
    ["key of a git branch", formatKey({ repository: "shop", gitBranch: "feature/cart" }), "shop@feature/cart"],
    ["stack of a pull request", stackName(shop42), "shop-pr-42"],
    ["host of the main service", hostName(shop42, "localhost:4000"), "pr-42-shop.localhost:4000"],
    ["key of a stage", formatKey({ repository: "shop", stage: "staging" }), "shop:staging"],
    ["stack of a stage", stackName({ repository: "shop", stage: "staging" }), "shop-st-staging"],
    ["host of a stage", hostName({ repository: "shop", stage: "staging" }, "example.dev"), "staging-shop.example.dev"],
    [
      "host of a stage's further service",
      hostName({ repository: "shop", stage: "staging" }, "example.dev", "api"),
      "staging-api-shop.example.dev",
    ],
    ["host of a further service", hostName(shop42, "example.dev", "api"), "pr-42-api-shop.example.dev"],
  ];
  for (const [what, actual, expected] of table) {
    it(`gives "${expected}" as ${what}`, () => assert.equal(actual, expected));
  }

  it("reads every key it wrote", () => {
    fc.assert(fc.property(key, (any) => assert.deepEqual(parseKey(formatKey(any)), any)));
  });

  it("refuses what is no key", () => {
    for (const text of [
      "",
      "shop",
      "shop#",
      "shop#0",
      "shop#042",
      "#1",
      "Shop#1",
      "shop#1x",
      "shop@",
      "shop@ x",
      "shop:",
      "shop:a-b",
      "shop:pr",
    ]) {
      assert.equal(parseKey(text), undefined, text);
    }
  });

  it("tells a stage from what else may be a preview", () => {
    const told = ["shop:staging", "shop#1", "shop@main", "shop@feature:x", "shop:br"].map(isStage);
    assert.deepEqual(told, [true, false, false, false, false]);
  });

  it("gives a stage no host that a pull request or git branch of its repository could have", () => {
    for (const name of ["pr", "br", "pr-1", "br-x", "1a", "Prod", "", "a".repeat(21)]) {
      assert.equal(isStageName(name), false, name);
    }
    fc.assert(
      fc.property(key, key, service, service, (one, other, first, second) => {
        fc.pre("stage" in one && !("stage" in other));
        const hosts = [hostName(one, "d", first), hostName({ ...other, repository: one.repository }, "d", second)];
        assert.notEqual(hosts[0], hosts[1]);
      }),
    );
  });

  it("makes one DNS label of at most 63 characters of any key", () => {
    fc.assert(
      fc.property(key, service, (any, name) => {
        const [label = "", ...domain] = hostName(any, "example.dev", name).split(".");
        assert.match(label, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
        assert.deepEqual(domain, ["example", "dev"]);
      }),
    );
  });

  it("makes a stack and a database name of at most 63 plain characters of any key", () => {
    fc.assert(
      fc.property(key, (any) => {
        assert.match(stackName(any), /^[a-z][a-z0-9-]{0,62}$/);
        assert.match(previewDatabaseName(stackName(any)), /^[a-z][a-z0-9_]{0,62}$/);
      }),
    );
  });

  it("never gives two keys one stack", () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        fc.pre(formatKey(one) !== formatKey(other));
        assert.notEqual(stackName(one), stackName(other));
      }),
    );
  });

  it("keeps two long names apart that differ only behind the cut", () => {
    const long = "a".repeat(70);
    const names = [`${long}x`, `${long}y`].map((name) => stackName({ repository: name, number: 1 }));
    assert.notEqual(names[0], names[1]);
  });
});
