import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../../service/config/application.ts";
import { problemsOf as problems } from "./problems.ts";

const limits = { memoryMiB: 2048, cpu: 4, services: 4 };
const parse = (text: string) =>
  parseApplication(`services: {web: {command: x, env: {FLAG_TAKEN: 1}}}\nflags:\n${text}`, {
    file: "preview.yaml",
    limits,
  });
const problemsOf = (text: string) => problems(() => parse(text));

describe("flags of preview.yaml", () => {
  it("are a default, or a default and all that is allowed", () => {
    assert.deepEqual(parse("  beta: false\n  size: 20\n  theme: {default: light, values: [light, dark]}\n").flags, {
      beta: { default: false },
      size: { default: 20 },
      theme: { default: "light", values: ["light", "dark"] },
    });
  });

  for (const [what, text, problem] of [
    [
      "a default that is not allowed",
      "  a: {default: x, values: [y]}\n",
      'flag "a" has the default "x", which is none of its "values"',
    ],
    [
      "values of two types",
      "  a: {default: 1, values: [1, two]}\n",
      'flag "a" has the value "two", which is not of its default\'s type',
    ],
    [
      "a word where a switch was meant",
      "  a: off\n",
      'flag "a" is the word "off"; write true or false for a switch, or name its "values"',
    ],
    [
      "two names of one variable",
      "  a-b: 1\n  a_b: 2\n",
      'flag "a_b" and flag "a-b" are both FLAG_A_B; rename one of them',
    ],
    [
      "a variable that a service sets",
      "  taken: 1\n",
      'flag "taken" is FLAG_TAKEN, which service "web" sets in its environment; rename one of them',
    ],
    ["what no label could say", "  a: two words\n", '"flags.a" must be 1 to 64 letters, digits and _ . , : / @ + -'],
    [
      "a key that is none",
      "  a: {default: x, valeus: [x]}\n",
      'unknown key "valeus" in "flags.a"; did you mean "values"?',
    ],
    ["a name that is none", '  "a=b": 1\n', /name "a=b" must be letters/],
  ] as const) {
    it(`do not take ${what}`, () => {
      const problems = problemsOf(text);
      assert.equal(problems.length, 1, problems.join("\n"));
      if (typeof problem === "string") assert.ok(problems[0]?.endsWith(problem), problems[0]);
      else assert.match(problems[0] ?? "", problem);
    });
  }
});
