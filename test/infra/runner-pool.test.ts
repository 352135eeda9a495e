import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRunnerPool } from "../../infra/runner-pool.ts";
import type { RunnerProcess } from "../../infra/runner-process.ts";

describe("the line for an engine", () => {
  it("lets a teardown go before builds that wait, and builds go in the order they came", async () => {
    const child: RunnerProcess = {
      pid: 0,
      gone: new Promise(() => {}),
      spent: () => false,
      interrupt: () => {},
      end: async () => {},
      run: async () => {
        throw new Error("no work is given to it");
      },
    };
    const pool = createRunnerPool(1, async () => child);
    const done: string[] = [];
    const first = Promise.withResolvers<void>();
    const all = [
      pool.use(() => first.promise),
      pool.use(async () => void done.push("build of 1")),
      pool.use(async () => void done.push("build of 2")),
      pool.use(async () => void done.push("teardown of 3"), { first: true }),
    ];
    first.resolve();
    await Promise.all(all);
    assert.deepEqual(done, ["teardown of 3", "build of 1", "build of 2"]);
  });
});
