import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { CostsAnswer } from "../../../service/api/routes/costs.ts";
import type { DayCost } from "../../../service/money/ledger.ts";
import { type AppEdge, costsOf, startApp } from "./app-edge.ts";

const line = (key: string, cost: number, more: Partial<DayCost> = {}): DayCost => ({
  ...{ key, cost, day: "2026-11-20", source: "metered", meter: "cpu", quantity: cost * 100, unit: "vCPU-hours" },
  currency: "USD",
  ...more,
});

describe("costs over the API", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.ledger.push(
      line("shop#1", 1),
      line("shop#2", 5),
      line("till#3", 2),
      line("shop#1", 10, { day: "2026-10-31" }),
      line("shop#1", 0.5, { day: "2026-11-21", meter: "disk", unit: "GiB-months" }),
    );
  });
  afterEach(() => edge.close());

  const read = async (query = "", headers = {}) => {
    const answer = await edge.api({ path: `/costs${query}`, headers });
    assert.equal(answer.status, 200, answer.body);
    return JSON.parse(answer.body) as CostsAnswer;
  };
  const names = ({ costs }: CostsAnswer) => costs.map(({ name, cost }) => [name, cost]);

  it("are this month's by preview, the dearest first, with a forecast", async () => {
    const found = await read();
    assert.deepEqual([found.by, found.from, found.to], ["preview", "2026-11-01", "2026-11-30"]);
    assert.deepEqual(names(found), [
      ["shop#2", 5],
      ["till#3", 2],
      ["shop#1", 1.5],
    ]);
    assert.equal(found.costs[0]?.about?.author, "ada");
    const [total] = found.totals;
    assert.equal(total?.cost, 8.5);
    assert.ok((total?.forecast ?? 0) > 8.5);
  });

  it("are summed up as asked, of the month or days asked for", async () => {
    assert.deepEqual(names(await read("?by=team")), [
      ["shop", 6.5],
      ["till", 2],
    ]);
    assert.deepEqual(names(await read("?by=month")), [
      ["2026-11", 8.5],
      ["2026-10", 10],
    ]);
    const october = await read("?month=2026-10");
    assert.deepEqual([names(october), october.to], [[["shop#1", 10]], "2026-10-31"]);
    assert.equal(october.totals[0]?.forecast, undefined);
    assert.deepEqual(names(await read("?from=2026-10-31&to=2026-11-20&key=shop%231")), [["shop#1", 11]]);
    assert.deepEqual(names(await read("?repository=till")), [["till#3", 2]]);
  });

  it("come page by page, with the totals of all", async () => {
    const first = await read("?limit=2");
    assert.deepEqual(names(first).length, 2);
    const second = await read(`?limit=2&cursor=${first.next}`);
    assert.deepEqual(names(second), [["shop#1", 1.5]]);
    assert.deepEqual([second.next, second.totals[0]?.cost], [undefined, 8.5]);
    const wrong = await edge.api({ path: "/costs?cursor=bm90aGluZw" });
    assert.equal(wrong.status, 400);
  });

  it("stand on no two pages, whatever rises or ends meanwhile", async () => {
    const first = await read("?limit=2");
    edge.ledger.push(line("till#3", 20));
    assert.deepEqual(names(await read(`?limit=2&cursor=${first.next}`)), [["shop#1", 1.5]]);
    const gone = edge.ledger.filter(({ key }) => key !== "till#3");
    edge.ledger.splice(0, edge.ledger.length, ...gone);
    assert.deepEqual(names(await read(`?limit=2&cursor=${first.next}`)), [["shop#1", 1.5]]);
    const days = await read("?by=day&limit=1");
    edge.ledger.push(line("shop#2", 1, { day: "2026-11-22" }));
    assert.deepEqual(names(await read(`?by=day&limit=1&cursor=${days.next}`)), [["2026-11-20", 6]]);
  });

  it("go on with the month that they began with", async () => {
    let now = "2026-11-30T23:59:59.000Z";
    const turning = await startApp({ costs: costsOf(edge.ledger, { now: () => now }) });
    try {
      const ask = async (query: string) => {
        const { status, body } = await turning.api({ path: `/costs${query}` });
        assert.equal(status, 200, body);
        return JSON.parse(body) as CostsAnswer;
      };
      const first = await ask("?limit=2");
      now = "2026-12-01T00:00:00.000Z";
      const second = await ask(`?limit=2&cursor=${first.next}`);
      assert.deepEqual([second.from, second.to, names(second)], ["2026-11-01", "2026-11-30", [["shop#1", 1.5]]]);
    } finally {
      await turning.close();
    }
  });

  it("are a repository's alone for a token of that repository", async () => {
    const { token } = await edge.tokens.create({ name: "ci", role: "viewer", repositories: ["till"] }, "test");
    const headers = { authorization: `Bearer ${token}` };
    assert.deepEqual(names(await read("", headers)), [["till#3", 2]]);
    assert.deepEqual(names(await read("?repository=shop", headers)), []);
    assert.equal((await read("", headers)).totals[0]?.cost, 2);
  });

  it("refuse a month that is none, and both a month and days", async () => {
    for (const query of ["?month=2026-13", "?month=november", "?by=cent", "?month=2026-11&from=2026-11-02"]) {
      assert.equal((await edge.api({ path: `/costs${query}` })).status, 400, query);
    }
  });
});
