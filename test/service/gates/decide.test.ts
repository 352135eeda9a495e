import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settledStatus } from "../../../service/conditions.ts";
import { type Action, type Desired, decide, type Observed } from "../../../service/decide.ts";
import { afterChecks } from "../../../service/gates/outcome.ts";
import type { CheckResult, FailedChecks } from "../../../service/gates/results.ts";
import type { PreviewStatus } from "../../../service/status.ts";
import { aPreview, COMMIT } from "../../support/previews.ts";

const NOW = "2026-11-21T10:05:00.000Z";
const GOOD = "b".repeat(40);
const OTHER = "c".repeat(40);
const checks = { smoke: [], gates: [], onFailure: "rollback" } as const;
const wanted: Desired = { kind: "present", digest: "d" };
const updated = { digest: "d", ok: true, terminal: false, failures: 0, at: "2026-11-21T10:00:00.000Z" };

function preview(more: Partial<PreviewStatus> = {}, onFailure: "rollback" | "keep" = "rollback") {
  const base = aPreview({ urls: { web: "https://pr-42-shop.acme.dev" } });
  assert.ok(base.status.live);
  const live = { ...base.status.live, checks: { ...checks, smoke: [], gates: [], onFailure } };
  return { ...base, status: { ...base.status, live, headSha: COMMIT, attempted: updated, ...more } };
}

describe("when a version is checked", () => {
  const due = (more: Partial<PreviewStatus>, desired: Desired = wanted, observed: Partial<Observed> = {}): Action =>
    decide(desired, { ...preview(more), sleepAfterSeconds: 3600, ...observed }, NOW);
  const failed = { action: "check", failures: 1, at: "2026-11-21T10:04:59.000Z" } as const;
  const cases: readonly (readonly [string, Action, Action["kind"]])[] = [
    ["once it was updated", due({}), "check"],
    ["no more once there are results", due({ checks: { commit: COMMIT, at: NOW, results: [] } }), "none"],
    ["not where it names none", due({ live: aPreview({ urls: { web: "x" } }).status.live }), "none"],
    ["behind an update that is due", due({}, { kind: "present", digest: "newer" }), "up"],
    ["not behind one that failed", due({ attempted: { ...updated, ok: false, terminal: true } }), "none"],
    ["not while it sleeps", due({ awake: false }), "wake"],
    ["not where it is to sleep", due({}, wanted, { intents: { asleep: true, asleepSince: NOW } }), "sleep"],
    ["not while everything is stopped", due({}, wanted, { paused: true }), "sleep"],
    ["not where nothing new is to begin", due({}, { kind: "blocked" }), "none"],
    ["not of one that is to go", due({}, { kind: "absent", reason: "Closed" }), "destroy"],
    ["later where it could not be", due({ failed }), "wait"],
    ["again then", due({ failed: { ...failed, at: "2026-11-21T10:00:00.000Z" } }), "check"],
  ];
  for (const [what, action, kind] of cases) it(`is ${what}`, () => assert.equal(action.kind, kind));
});

describe("what follows from results", () => {
  const result = (ok: boolean, more: Partial<CheckResult> = {}): CheckResult => ({
    ...{ name: "GET /", kind: "smoke", ok, required: true, text: "it answered 500, not 200", ms: 1 },
    ...more,
  });
  const served = [{ sha: GOOD, at: NOW }];
  const after = (
    results: CheckResult[],
    more: Partial<PreviewStatus> = {},
    onFailure: "rollback" | "keep" = "rollback",
  ) => afterChecks(preview(more, onFailure), results, { now: NOW });

  it("is a good commit, and an end to what stood against it", () => {
    const failedChecks = { commit: COMMIT, at: NOW, results: [], reason: "GateFailed", message: "x" } as const;
    const { status, intents } = after([result(true), result(false, { required: false })], { served, failedChecks });
    assert.deepEqual(
      status.served?.map(({ sha }) => sha),
      [GOOD, COMMIT],
    );
    assert.deepEqual([status.failedChecks, intents.rolledBack, status.checks?.commit], [undefined, undefined, COMMIT]);
  });

  it("is the way back to the last good one, and a commit that is not offered", () => {
    const { status, intents } = after([result(true), result(false)], { served });
    assert.deepEqual(intents.rolledBack, { sha: GOOD, head: COMMIT, by: "gates", at: NOW });
    assert.deepEqual(
      status.served?.map(({ sha }) => sha),
      [GOOD],
    );
    assert.deepEqual([status.failedChecks?.reason, status.failedChecks?.wentBackTo], ["SmokeTestFailed", GOOD]);
  });

  it("keeps what serves where that is wished, or where nothing good came before", () => {
    const kept = after([result(false, { kind: "command" })], { served }, "keep");
    assert.deepEqual([kept.intents.rolledBack, kept.status.failedChecks?.reason], [undefined, "GateFailed"]);
    const first = after([result(false)]);
    assert.equal(first.intents.rolledBack, undefined);
    assert.match(first.status.failedChecks?.stays ?? "", /^no commit before/);
  });

  it("comes to an end with the commit that was good, however many were before it", () => {
    let seen = preview({
      served: [
        { sha: OTHER, at: NOW },
        { sha: GOOD, at: NOW },
      ],
    });
    const wished: (string | undefined)[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { status, intents } = afterChecks(seen, [result(false)], { now: NOW });
      const sha = intents.rolledBack?.sha;
      wished.push(sha);
      if (!seen.status.live || sha === undefined) break;
      const live = { ...seen.status.live, source: { ...seen.status.live.source, commit: sha } };
      seen = { ...seen, intents, status: { ...preview().status, ...status, live, checks: undefined } };
    }
    assert.deepEqual(wished, [GOOD, GOOD, GOOD]);
    assert.deepEqual(
      seen.status.served?.map(({ sha }) => sha),
      [OTHER, GOOD],
    );
    assert.deepEqual([seen.status.failedChecks?.commit, seen.status.failedChecks?.wentBackTo], [COMMIT, GOOD]);
  });

  it("is shown while it is of the head or of what serves, and forgotten with a newer head", () => {
    const failedChecks: FailedChecks = {
      ...{ commit: COMMIT, at: NOW, results: [result(false)], reason: "SmokeTestFailed", message: "It is broken" },
    };
    const done = { commit: GOOD, at: NOW, results: [] };
    const verdict = { kind: "present", commit: COMMIT } as never;
    const shown = (more: Partial<PreviewStatus>, byPromotion = false) => {
      const { status } = preview({ checks: done, failedChecks, ...more });
      return settledStatus({ verdict, desired: wanted, byPromotion }, status, NOW);
    };
    assert.partialDeepStrictEqual(shown({}), { condition: "Stalled", reason: "SmokeTestFailed" });
    assert.match(shown({}).message ?? "", /^It is broken\. Commit `0123456` serves on\. A push tries again\.$/);
    assert.match(shown({}, true).message ?? "", / serves on\. The next promotion tries again\.$/);
    assert.equal(shown({ failedChecks: { ...failedChecks, commit: OTHER } }).reason, "Healthy");
    assert.equal(shown({ failedChecks: { ...failedChecks, commit: OTHER }, headSha: OTHER }).reason, "SmokeTestFailed");
    assert.deepEqual([shown({ checks: undefined, failedChecks: undefined }).reason], ["Checking"]);
  });
});
