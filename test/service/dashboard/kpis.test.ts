import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Kpis } from "../../../service/kpis/measure.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

describe("the numbers a team lives by", () => {
  let edge: AppEdge;
  beforeEach(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ number: 1, status: { condition: "Stalled", reason: "BuildFailed" } }));
    edge.store.put(aPreview({ number: 2, repository: "till" }));
    edge.facts.moves = [
      { key: "shop#1", at: ago(20), reason: "Provisioning" },
      { key: "shop#1", at: ago(19), reason: "BuildFailed" },
      { key: "till#2", at: ago(400), reason: "StartFailed" },
    ];
    edge.facts.mergedSince = ago(2000);
    edge.facts.merged = [
      { key: "shop#8", openedAt: ago(30), mergedAt: ago(6), previewed: true, bot: false },
      { key: "till#9", openedAt: ago(90), mergedAt: ago(6), previewed: false, bot: false },
    ];
    edge.facts.costs = [{ name: "shop#1", currency: "EUR", cost: 0.02, basis: "estimated" }];
  });
  afterEach(() => edge.close());

  const page = async (path: string, reads?: readonly string[]) => {
    const who = { provider: "hub", name: "@ada", ids: ["viewer"], at: ago(1), ...(reads ? { reads } : {}) };
    const cookie = edge.sessions.open(who) ?? assert.fail("no session");
    const { status, body } = await edge.ask({ path, headers: { cookie: `stackling-4000=${cookie}` } });
    assert.equal(status, 200);
    return body.replace(/<[^>]+>/g, (tag) => (tag.startsWith("<a ") ? tag : " ")).replace(/\s+/g, " ");
  };
  const api = async (query: string, token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const { status, body } = await edge.api({ path: `/kpis${query}`, headers });
    assert.equal(status, 200, body);
    return JSON.parse(body) as Kpis;
  };

  it("stand on a page with what each is of, failures leading to those that stand so now", async () => {
    const all = await page("/kpis?days=90");
    assert.match(all, /With a preview 24 h of 1 pull request, too few to say much/);
    assert.match(all, /Without 3\.5 d of 1 pull request, too few to say much/);
    assert.match(all, /These are different pull requests/);
    assert.match(all, /BuildFailed failed while building 1 in 1 preview; <a href="\/\?reason=BuildFailed">1 now/);
    assert.match(all, /StartFailed/);
    assert.match(all, /Cost per pull request €0\.0200 of 1 pull request, too few to say much; estimated/);
    assert.match(all, /Destroy success – nothing was torn down/);
    assert.match(await page("/?reason=BuildFailed"), /1 preview of 2/);
  });

  it("are of the period and the repository that the address names", async () => {
    assert.doesNotMatch(await page("/kpis?days=7"), /StartFailed/);
    const till = await page("/kpis?days=90&repository=till");
    assert.match(till, /With a preview – none was merged Without 3\.5 d/);
    assert.doesNotMatch(till, /BuildFailed|Strays/);
    assert.match(await page("/kpis?days=1e9&repository=%3Cb%3E"), /KPIs Since .* of &#60;b&#62;/);
  });

  it("tell those who may look at one repository nothing of another", async () => {
    for (const path of ["/kpis?days=90", "/kpis?days=90&repository=shop"]) {
      const theirs = await page(path, ["till"]);
      assert.doesNotMatch(theirs, /BuildFailed|With a preview 24 h|Strays/, path);
    }
    const { token } = await edge.tokens.create({ name: "ci", role: "viewer", repositories: ["till"] }, "test");
    const { failures, here, strays, leadSeconds } = await api("?days=90", token);
    assert.deepEqual([failures.map(({ reason }) => reason), here.previews, strays], [["StartFailed"], 1, undefined]);
    assert.deepEqual([leadSeconds.with, leadSeconds.without?.median], [undefined, 84 * 3600]);
    assert.equal((await api("?repository=shop", token)).here.previews, 0);
  });

  it("are answered for 30 days where none are named, and for no other days than those there are", async () => {
    const { days, course, leadSeconds } = await api("");
    assert.deepEqual([days, course.length, leadSeconds.with?.cases], [30, 5, 1]);
    assert.equal((await edge.api({ path: "/kpis?days=31" })).status, 400);
  });
});
