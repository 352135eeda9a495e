import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../../service/config/application.ts";
import { problemsOf as problems } from "./problems.ts";

const limits = { memoryMiB: 2048, cpu: 4, services: 4 };
const parse = (database: string, env = "") =>
  parseApplication(`services: {web: {command: x${env}}}\ndatabase: ${database}\n`, { file: "preview.yaml", limits });
const problemsOf = (...args: Parameters<typeof parse>) => problems(() => parse(...args));

describe("seed scenarios of preview.yaml", () => {
  it("are names that the one seed is run with, or commands of their own", () => {
    const seed = { command: "npm run seed", directory: "." };
    assert.deepEqual(parse("{seed: npm run seed, scenarios: [empty, team], scenario: team}").database, {
      seed,
      scenario: "team",
      scenarios: { empty: seed, team: seed },
    });
    assert.deepEqual(
      parse(
        "{seed: npm run seed, scenarios: {team: true, empty: false, nothing: , odd: {command: ./odd, directory: db}}}",
      ).database?.scenarios,
      { team: seed, empty: null, nothing: null, odd: { command: "./odd", directory: "db" } },
    );
  });

  it("need not be: one seed is enough", () => {
    assert.deepEqual(parse("{seed: npm run seed}").database, { seed: { command: "npm run seed", directory: "." } });
  });

  for (const [what, database, problem] of [
    ["names that nothing runs", "{scenarios: [a, b]}", '"database.scenarios" are run by "seed", and there is none'],
    ["a seed that no scenario runs", "{seed: x, scenarios: {a: y}}", '"database.seed" is run by no scenario'],
    [
      "a default that is none of them",
      "{seed: x, scenarios: [empty, team], scenario: teem}",
      '"database.scenario" names "teem", which is none of "scenarios"; did you mean "team"?',
    ],
    ["a default of nothing", "{seed: x, scenario: team}", '"database.scenario" needs "scenarios" to choose from'],
    ["a choice of nothing", "{scenarios: {}}", '"database.scenarios" must hold a name'],
    ["a folder outside", "{scenarios: {a: {command: x, directory: ../y}}}", 'directory "../y" leaves the repository'],
  ] as const) {
    it(`do not take ${what}`, () => {
      const found = problemsOf(database);
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(found[0]?.includes(problem), found[0]);
    });
  }

  it("do not take a name that no label could say", () => {
    assert.match(problemsOf("{seed: x, scenarios: [two words]}").join(), /must be letters, digits, dashes/);
  });

  it("keep the variable for themselves that holds the name", () => {
    const [problem = ""] = problemsOf("{seed: x, scenarios: [a]}", ", env: {SEED_SCENARIO: b}");
    assert.match(problem, /service "web": SEED_SCENARIO is set by Stackling/);
    assert.equal(parse("{seed: x}", ", env: {SEED_SCENARIO: b}").services.length, 1);
  });
});
