/** The short form of `npm run chaos -- --rounds`: SIGKILL at random moments of open, push, close, sleep and wake. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { roundLine } from "../../chaos/rounds/print.ts";
import { runSeries } from "../../chaos/rounds/rounds.ts";
import { requires } from "../support/requires.ts";

/** Its first six rounds kill seven of the eight there are. */
const SEED = 84;
const ROUNDS = 8;
/** No round begins later; a busy machine runs fewer. */
const BUDGET_MS = 35_000;

describe("kills at random moments", requires("engine", "postgres"), () => {
  it("leave every preview as its pull request says, lose nothing and leave nothing behind", async (test) => {
    const kept: string[] = [];
    const { results, finds } = await runSeries({
      seed: SEED,
      rounds: ROUNDS,
      budgetMs: BUDGET_MS,
      signal: test.signal,
      onRound: (result) => test.diagnostic(roundLine(result)),
      onKept: (dataDir) => kept.push(dataDir),
    });
    const kills = results.flatMap(({ killed }) => killed.filter(({ atMs }) => atMs !== undefined));
    assert.ok(kills.length > 0, "nobody was there to kill");
    const found = [...results.flatMap((result) => result.finds), ...finds];
    assert.deepEqual(found, [], `left to look into: ${kept.join(", ")}`);
  });
});
