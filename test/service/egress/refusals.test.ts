import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refusedSection } from "../../../service/dashboard/egress-section.ts";
import { type RefusedCall, refusalWords, withRefusal } from "../../../service/egress/refusals.ts";
import { refusedLine } from "../../../service/egress/words.ts";

const AT = "2027-01-01T10:00:00.000Z";
const LATER = "2027-01-01T11:00:00.000Z";

describe("refused calls", () => {
  it("are counted by where they went and why, the latest first", () => {
    const stripe = { host: "api.stripe.com", port: 443, why: "unlisted" } as const;
    const slack = { host: "slack.com", port: 443, why: "unlisted" } as const;
    const list = [
      [stripe, AT],
      [slack, AT],
      [stripe, LATER],
      [{ ...stripe, why: "serverName", times: 3 }, LATER],
    ] as const;
    const seen = list.reduce<readonly RefusedCall[]>((known, [one, at]) => withRefusal(known, one, at), []);
    assert.deepEqual(seen, [
      { ...stripe, why: "serverName", count: 3, firstAt: LATER, lastAt: LATER },
      { ...stripe, count: 2, firstAt: AT, lastAt: LATER },
      { ...slack, count: 1, firstAt: AT, lastAt: AT },
    ]);
  });

  it("of one preview are as many as it pleases, and no more than fifty are kept", () => {
    let known: readonly RefusedCall[] = [];
    for (let port = 1; port <= 200; port++)
      known = withRefusal(known, { host: "a.example", port, why: "unlisted" }, AT);
    assert.equal(known.length, 50);
    assert.equal(known[0]?.port, 200);
  });

  it("say nothing but a plain host, whatever was sent", () => {
    const host = `<script>\u001b[31m\r\nHTTP/1.1${"x".repeat(500)}`;
    const [call] = withRefusal([], { host, why: "unreadable" }, AT);
    assert.match(call?.host ?? "", /^[A-Za-z0-9._:?[\]-]{1,100}$/);
    assert.match(refusalWords({ host, why: "unreadable" }), /^calling "[A-Za-z0-9._:?[\]-]+": it is no host and port$/);
  });

  it("are told in a line, and on the preview's page", () => {
    const [call] = withRefusal([], { host: "api.stripe.com", port: 443, why: "unlisted", times: 2 }, AT);
    assert.ok(call);
    assert.match(refusedLine(call), /^api\.stripe\.com:443, 2 times, last at 2027-01-01 10:00 UTC: previews may call/);
    const page = refusedSection({ refusedCalls: [call] }).markup;
    assert.match(page, /api\.stripe\.com:443, 2 times/);
    assert.equal(refusedSection({}).markup, "");
  });
});
