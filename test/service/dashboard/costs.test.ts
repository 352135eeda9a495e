import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";
import { someBudgets, someCosts } from "../app/some-costs.ts";

describe("costs on the pages of previews", () => {
  let edge: AppEdge;
  let session: { readonly cookie: string };
  beforeEach(async () => {
    edge = await startApp();
    edge.ledger.push(...someCosts());
    for (const number of [42, 43])
      edge.store.put(aPreview({ number, urls: { web: "http://pr-42-shop.localhost:4000" } }));
    const { headers } = await edge.ask({ path: `/login/${edge.sessions.mint()}` });
    session = { cookie: String(headers["set-cookie"]).split(";")[0] ?? "" };
  });
  afterEach(() => edge.close());

  it("are this month's in the list, which sorts by them; what cost nothing stands last", async () => {
    for (const sort of ["cost", "-cost"]) {
      const { body } = await edge.ask({ path: `/?sort=${sort}`, headers: session });
      assert.match(body, /<td>\$22\.50<\/td>/);
      assert.ok(body.indexOf('data-key="shop#42"') < body.indexOf('data-key="shop#43"'), sort);
    }
  });

  it("are nothing for strangers", async () => {
    const { body } = await edge.ask({ path: "/?sort=cost" });
    assert.doesNotMatch(body, /This month|22\.50/);
  });

  it("are told on a preview's own page by what they were for, and by day", async () => {
    const { body } = await edge.ask({ path: "/previews/shop%2342", headers: session });
    assert.match(body, /<dt>So far<\/dt><dd>\$22\.50, counted here, by the price file<\/dd>/);
    assert.match(body, /<th scope="row">CPU time<\/th>/);
    assert.match(body, /Cost by day/);
  });
});

describe("costs among the trends", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.ledger.push(...someCosts());
  });
  afterEach(() => edge.close());

  const rowsOf = async (range: string) => {
    const { headers } = await edge.ask({ path: `/login/${edge.sessions.mint()}` });
    const session = { cookie: String(headers["set-cookie"]).split(";")[0] ?? "" };
    const { body } = await edge.ask({ path: `/trends?range=${range}`, headers: session });
    const picture = body.slice(body.indexOf("<h2>Cost by"));
    return {
      title: /<h2>Cost by (\w+)/.exec(picture)?.[1],
      rows: [...picture.matchAll(/">(2026-[^<]+)<\/time><\/th><td>([^<]+)</g)].map(([, day, cost]) => `${day} ${cost}`),
    };
  };

  it("are by day for a week, and begin with the first that cost something", async () => {
    const week = await rowsOf("week");
    assert.equal(week.title, "day");
    assert.deepEqual(week.rows.slice(0, 2), ["2026-11-22 $0.00", "2026-11-21 $0.70"]);
    assert.equal(week.rows.length, 7);
    assert.equal((await rowsOf("month")).rows.at(-1), "2026-11-01 $0.70");
  });

  it("are by week for a year, ending today", async () => {
    assert.deepEqual(await rowsOf("year"), {
      title: "week",
      rows: ["2026-11-16 $7.20", "2026-11-09 $10.00", "2026-11-02 $8.80", "2026-10-26 $0.70"],
    });
  });

  it("are none for a day, since the ledger has no hours", async () => {
    assert.equal((await rowsOf("day")).title, undefined);
  });
});

describe("the page of costs", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.ledger.push(...someCosts());
    edge.budgets.push(...someBudgets());
  });
  afterEach(() => edge.close());

  const login = async () => {
    const { headers } = await edge.ask({ path: `/login/${edge.sessions.mint()}` });
    return { cookie: String(headers["set-cookie"]).split(";")[0] ?? "" };
  };
  const page = async (path: string) => {
    const answer = await edge.ask({ path, headers: await login() });
    assert.equal(answer.status, 200, answer.body);
    return answer.body;
  };

  it("has the month's sum, what it comes to, a picture by day and sums by whom", async () => {
    const body = await page("/costs?by=author&month=2026-11");
    assert.match(body, /<b>\$26\.70<\/b>, at this pace \$/);
    assert.match(body, /Cost by day/);
    assert.match(body, /<th scope="row">ada<\/th><td>\$26\.70<\/td><td>100 %<\/td>/);
    assert.match(body, /\/api\/v1\/costs\/export\?format=csv&(#38;)?month=2026-11/);
  });

  it("leads from a pull request's sum to its preview", async () => {
    assert.match(await page("/costs?by=pull-request&month=2026-11"), /href="\/previews\/shop%2342"/);
  });

  it("takes what the address says wrongly for this month by repository", async () => {
    assert.match(await page("/costs?by=nonsense&month=2999-01"), /By repository/);
  });

  it("says of each budget how far it is used, what it holds, and lifts it once asked twice", async () => {
    const session = await login();
    const { body } = await edge.ask({ path: "/costs", headers: session });
    assert.match(body, /aria-label="whole: 107 % used"/);
    assert.match(body, /Lifted until 2026-11-23 12:00 UTC by @ann/);
    const csrf = /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? "";
    const send = (fields: Readonly<Record<string, string>>) =>
      edge.ask({
        path: "/costs/budgets",
        method: "POST",
        headers: { ...session, "content-type": "application/x-www-form-urlencoded", origin: "http://localhost:4000" },
        body: String(new URLSearchParams({ csrf, name: "whole", subject: "", action: "lift", ...fields })),
      });
    assert.match((await send({})).body, /Are you sure\?/);
    assert.deepEqual(edge.acts, []);
    assert.equal((await send({ confirmed: "yes" })).status, 303);
    assert.deepEqual(edge.acts, ["lift whole of all for 172800 by page"]);
  });
});
