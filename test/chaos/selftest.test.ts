/** `npm run chaos -- --selftest` as a test: what cannot see a planted stray proves nothing by finding none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selftest } from "../../chaos/selftest/selftest.ts";
import { requires } from "../support/requires.ts";

describe("the oracle in a real world", requires("engine", "postgres"), () => {
  it("names exactly what was planted, and nothing before and after", async () => {
    const { planted, named, before, after } = await selftest(AbortSignal.timeout(240_000));
    for (const { orphans, lost, stuck } of [before, after]) assert.deepEqual([...orphans, ...lost, ...stuck], []);
    assert.deepEqual(named.toSorted(), planted.map(({ name }) => name).toSorted());
    for (const what of ["open pull request", "closed pull request", "host", "process", "database", "route"]) {
      assert.ok((before.looked[what] ?? 0) > 0, `it looked at no ${what}`);
    }
  });
});
