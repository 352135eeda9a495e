/** The short form of `npm run chaos -- --flood`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flood } from "../../chaos/flood/flood.ts";
import { requires } from "../support/requires.ts";

describe("a service under whatever may come to its webhooks", requires("engine", "postgres"), () => {
  it("neither dies nor answers wrongly, and keeps every delivery that it took", async () => {
    const { problems, taken, statuses } = await flood({
      seed: 5,
      deliveries: 400,
      connections: 20,
      waves: 1,
      restsFor: 2,
    });
    assert.deepEqual(problems, []);
    assert.ok(taken > 50, `${taken} good ones among them were taken`);
    assert.ok((statuses[400] ?? 0) > 50 && (statuses[401] ?? 0) > 5, JSON.stringify(statuses));
  });
});
