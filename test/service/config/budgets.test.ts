import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const parse = (budgets: string) =>
  parseOperator(
    `repositories: [{forge: local, path: ./shop, name: shop}, {forge: local, path: ./blog, name: blog}]
budgets:
${budgets}`,
    { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data" },
  );

describe("budgets", () => {
  it("warn at 80 % and refuse at 100 %, and put nothing to sleep unless told to", async () => {
    const { budgets } = await parse("  whole: {amount: 500}");
    assert.deepEqual(budgets, [{ name: "whole", of: "all", amount: 500, at: { warn: 80, refuse: 100 } }]);
  });

  it("are none by default, so that nobody looks", async () => {
    const { budgets } = await parse("  {}");
    assert.equal(budgets, undefined);
  });

  it("are a repository's or a preview's, with thresholds of their own and without those that are never", async () => {
    const { budgets } =
      await parse(`  team: {of: repository, repositories: [shop], amount: 100, warn: never, sleep: 110, stop: 150}
  each: {of: preview, amount: 20, stop: 100}`);
    assert.deepEqual(budgets, [
      {
        name: "team",
        of: "repository",
        repositories: ["shop"],
        amount: 100,
        at: { refuse: 100, sleep: 110, stop: 150 },
      },
      { name: "each", of: "preview", amount: 20, at: { warn: 80, stop: 100 } },
    ]);
  });

  it("come in their order, for repositories that there are", async () => {
    const error = await parse(`  b: {amount: 5, refuse: 70}
  c: {of: repository, repositories: [shpo], amount: 5}
  d: {repositories: [shop], amount: 5}
  e: {of: preview, amount: 5, refuse: 90}`).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ConfigError);
    const all = error.message;
    assert.match(all, /"refuse" at 70 % comes before "warn" at 80 %/);
    assert.match(all, /there is no repository "shpo"; did you mean "shop"\?/);
    assert.match(all, /"repositories" needs `of: repository` or `of: preview`/);
    assert.match(all, /a budget of a preview has nothing new to refuse/);
  });
});
