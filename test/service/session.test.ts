import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSessions } from "../../service/session.ts";

describe("logins of the pages", () => {
  const clock = { at: Date.parse("2026-01-01T00:00:00Z") };
  const replica = (secret = "the API's token") => createSessions({ now: () => new Date(clock.at), secret });

  it("turns a code into a cookie once", () => {
    const sessions = replica();
    const code = sessions.mint();
    const cookie = sessions.redeem(code);
    assert.ok(cookie && sessions.find(cookie));
    assert.equal(sessions.redeem(code), undefined);
  });

  it("takes code and cookie of another replica, with the same value for its forms", () => {
    const [one, two] = [replica(), replica()];
    const cookie = two.redeem(one.mint()) ?? "";
    assert.ok(one.find(cookie));
    assert.deepEqual(one.find(cookie), two.find(cookie));
  });

  it("knows nothing that was signed with another token, changed or of the other kind", () => {
    const sessions = replica();
    const code = sessions.mint();
    assert.equal(sessions.redeem(replica("another token").mint()), undefined);
    assert.equal(sessions.find(code), undefined);
    const cookie = sessions.redeem(code) ?? "";
    assert.equal(sessions.redeem(cookie), undefined);
    const [until = "", ...rest] = cookie.split(".");
    const longer = [(Number.parseInt(until, 36) + 3_600_000).toString(36), ...rest].join(".");
    for (const wrong of [longer, `${cookie}x`, cookie.slice(0, -1), "", "..", "a.b.c"]) {
      assert.equal(sessions.find(wrong), undefined, wrong);
    }
  });

  it("gives every session another value for its forms", () => {
    const sessions = replica();
    const [one, two] = [sessions.mint(), sessions.mint()].map((code) => sessions.find(sessions.redeem(code) ?? ""));
    assert.ok(one && two);
    assert.notEqual(one.csrf, two.csrf);
  });

  it("ends a cookie that was logged out, and every one after its time", () => {
    const sessions = replica();
    const [left, stays] = [sessions.redeem(sessions.mint()) ?? "", sessions.redeem(sessions.mint()) ?? ""];
    sessions.end(left);
    assert.equal(sessions.find(left), undefined);
    assert.ok(sessions.find(stays));
    const code = sessions.mint();
    clock.at += 11 * 60_000;
    assert.equal(sessions.redeem(code), undefined);
    assert.ok(sessions.find(stays));
    clock.at += 12 * 3_600_000;
    assert.equal(sessions.find(stays), undefined);
  });
});
