import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flagFault, flagFaults, flagSaid, flagsInEffect, flagsSet } from "../../service/flags.ts";

const DECLARED = {
  beta: { default: false },
  size: { default: 20, values: [20, 50] },
  limit: { default: 1 },
  theme: { default: "light", values: ["light", "dark"] },
  region: { default: "eu" },
};
const valuesOf = (labels: readonly string[], said: Readonly<Record<string, string>> = {}) =>
  flagsSet(flagsInEffect(DECLARED, { labels, said }));

describe("a preview's feature flags", () => {
  it("are as preview.yaml says where nobody says otherwise", () => {
    assert.deepEqual(valuesOf(["bug", "flag", "flag:", "flag:beta", "feature:beta=true"]), {});
    assert.deepEqual(flagsInEffect({ beta: { default: false } }, { labels: [], said: {} }), {
      beta: { default: false, value: false },
    });
  });

  it("are as labels say, and before these as a person says", () => {
    const labels = ["flag:theme=dark", "Flag: size = 50", "flag:beta=on"];
    assert.deepEqual(valuesOf(labels), { beta: true, size: 50, theme: "dark" });
    assert.deepEqual(valuesOf(labels, { theme: "light", region: "us" }), { beta: true, size: 50, region: "us" });
  });

  it("pass over what is not allowed, also a person's word of the time before preview.yaml changed", () => {
    assert.deepEqual(valuesOf(["flag:theme=blue", "flag:size=21", "flag:nope=1"], { size: "7", beta: "maybe" }), {});
    assert.deepEqual(valuesOf(["flag:theme=dark"], { theme: "blue" }), { theme: "dark" });
    assert.deepEqual(valuesOf(["flag:constructor=1", "flag:__proto__=1"], { toString: "1" }), {});
  });

  for (const [name, word, fault] of [
    ["theme", "dark", undefined],
    ["theme", undefined, undefined],
    ["theme", "blue", "`theme` is one of `light`, `dark`, not `blue`"],
    ["beta", "constructor", "`beta` is `true` or `false`, not `constructor`"],
    ["limit", "2.5", undefined],
    ["limit", "1e3", "`limit` is a number, not `1e3`"],
    ["region", "us-east-1", undefined],
    ["region", "`x` <b>", "`region` is a word of 1 to 64 letters, digits and `_.,:/@+-`, not `xb`"],
    ["themes", "dark", "there is no flag `themes`; the nearest is `theme`"],
    ["whatever", "1", "there is no flag `whatever`; there are `beta`, `size`, `limit`, `theme`, `region`"],
    ["__proto__", undefined, "there is no flag `__proto__`; there are `beta`, `size`, `limit`, `theme`, `region`"],
  ] as const) {
    it(`${fault === undefined ? "take" : "do not take"} ${name}=${word}`, () => {
      assert.equal(flagFault(DECLARED, name, word), fault);
    });
  }

  it("say what is wrong with a label, in our own words", () => {
    assert.deepEqual(flagFaults(DECLARED, ["flag:theme=dark", "flag:theme=blue", "flag:x`y=<1>", "bug"]), [
      "The label `flag:theme=blue` does nothing: `theme` is one of `light`, `dark`, not `blue`.",
      "The label `flag:xy=1` does nothing: there is no flag `xy`; there are `beta`, `size`, `limit`, `theme`, `region`.",
    ]);
    assert.deepEqual(flagFaults({}, ["flag:theme=dark"]), [
      "The label `flag:theme=dark` does nothing: `preview.yaml` declares no flags.",
    ]);
  });

  it("forget what a person said when that is taken back, and leave no empty trace", () => {
    const one = flagSaid({}, "theme", "dark");
    const two = flagSaid(one, "beta", "on");
    assert.deepEqual(two, { flags: { theme: "dark", beta: "on" } });
    assert.deepEqual(flagSaid(two, "theme", undefined), { flags: { beta: "on" } });
    assert.deepEqual(flagSaid(one, "theme", undefined), { flags: undefined });
  });
});
