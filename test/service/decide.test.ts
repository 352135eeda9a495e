import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { PreviewSpec } from "../../infra/spec.ts";
import { gone } from "../../service/conditions.ts";
import {
  type Action,
  awaitRoom,
  backoffMs,
  type Desired,
  decide,
  needsRefresh,
  type Observed,
  RETRY_BUDGET,
} from "../../service/decide.ts";
import { newStatus, type PreviewStatus } from "../../service/status.ts";

const T0 = "2026-03-01T12:00:00.000Z";
const live = { stack: "shop-pr-1" } as PreviewSpec;
const DAY_SECONDS = 86_400;

describe("decide", () => {
  const applied = { digest: "a", ok: true, terminal: false, failures: 0, at: T0 };
  const failed = { digest: "a", ok: false, terminal: false, failures: 1, at: T0 };
  const serving: Partial<PreviewStatus> = { stackExists: true, live, attempted: applied };
  const present: Desired = { kind: "present", digest: "a" };
  const absent: Desired = { kind: "absent", reason: "Closed" };
  const yesterday = { createdAt: at(-DAY_SECONDS), lastPushAt: at(-DAY_SECONDS) };
  const table: readonly [string, Desired, Partial<PreviewStatus>, Partial<Observed>, Action][] = [
    ["updates the first time", present, {}, {}, { kind: "up", reason: "FirstTime" }],
    ["updates for a new spec", { ...present, digest: "b" }, serving, {}, { kind: "up", reason: "NewSpec" }],
    [
      "leaves what sleeps asleep for a new spec that nobody pushed or asked for",
      { ...present, digest: "b", unasked: true },
      { ...serving, awake: false },
      yesterday,
      { kind: "none" },
    ],
    [
      "wakes it on a visit first, for that is quick",
      { ...present, digest: "b", unasked: true },
      { ...serving, awake: false },
      { lastVisitAt: T0 },
      { kind: "wake" },
    ],
    [
      "and updates it then",
      { ...present, digest: "b", unasked: true },
      serving,
      { lastVisitAt: T0 },
      { kind: "up", reason: "NewSpec" },
    ],
    [
      "updates it in its sleep where it could not be woken",
      { ...present, digest: "b", unasked: true },
      { ...serving, awake: false, failed: { action: "wake", failures: 1, at: at(-60) } },
      { lastVisitAt: T0 },
      { kind: "up", reason: "NewSpec" },
    ],
    [
      "heals what was interrupted in its sleep",
      { ...present, digest: "b", unasked: true },
      { ...serving, awake: false, interrupted: true },
      yesterday,
      { kind: "up", reason: "Interrupted" },
    ],
    [
      "updates again after an interrupted run",
      present,
      { ...serving, interrupted: true },
      {},
      { kind: "up", reason: "Interrupted" },
    ],
    ["does nothing until it is idle when all is applied", present, serving, {}, { kind: "none", dueAt: at(3600) }],
    ["brings nothing up while all is stopped", present, {}, { paused: true }, { kind: "none" }],
    ["puts what serves to sleep when all is stopped", present, serving, { paused: true }, { kind: "sleep" }],
    [
      "neither wakes nor updates what sleeps while all is stopped",
      { ...present, digest: "b" },
      { ...serving, awake: false },
      { paused: true, lastVisitAt: T0 },
      { kind: "none" },
    ],
    [
      "wakes what was in use when all goes on",
      present,
      { ...serving, awake: false },
      { paused: false, lastVisitAt: T0 },
      { kind: "wake" },
    ],
    [
      "destroys what is closed while all is stopped",
      absent,
      serving,
      { paused: true },
      { kind: "destroy", reason: "Closed" },
    ],
    [
      "waits 5 s after the first failure",
      present,
      { attempted: failed },
      {},
      { kind: "wait", until: at(5), reason: "Backoff" },
    ],
    [
      "waits for new input after a terminal failure",
      present,
      { attempted: { ...failed, terminal: true } },
      {},
      { kind: "none" },
    ],
    [
      "waits for new input when the budget is used up",
      present,
      { attempted: { ...failed, failures: RETRY_BUDGET } },
      {},
      { kind: "none" },
    ],
    [
      "tries again for as long as an outage lasts",
      present,
      { attempted: { ...failed, failures: 50, failure: failure("DatabaseFailed") } },
      {},
      { kind: "wait", until: "2026-03-01T12:10:00.000Z", reason: "Backoff" },
    ],
    [
      "tries again for as long as the forge gives out no credential to fetch with",
      present,
      { attempted: { ...failed, failures: RETRY_BUDGET, failure: failure("Unreachable") } },
      {},
      { kind: "wait", until: "2026-03-01T12:01:20.000Z", reason: "Backoff" },
    ],
    [
      "tries again for as long as engines are killed from outside",
      present,
      { attempted: { ...failed, failures: RETRY_BUDGET, failure: failure("EngineInterrupted") } },
      {},
      { kind: "wait", until: "2026-03-01T12:01:20.000Z", reason: "Backoff" },
    ],
    [
      "tries again what a person mends at the target, for no push would",
      present,
      { attempted: { ...failed, terminal: true, failures: 50, failure: failure("TargetForbidden") } },
      {},
      { kind: "wait", until: "2026-03-01T12:10:00.000Z", reason: "Backoff" },
    ],
    [
      "comes up by itself once there is room",
      present,
      { attempted: { ...failed, failures: 50, failure: failure("QuotaExceeded") } },
      {},
      { kind: "wait", until: "2026-03-01T12:10:00.000Z", reason: "Backoff" },
    ],
    [
      "gives up after two days what nobody mends",
      present,
      { attempted: { ...failed, terminal: true, failures: 300, failure: failure("TargetForbidden") } },
      {},
      { kind: "none" },
    ],
    [
      "waits for new input when the engine was too slow time and again",
      present,
      { attempted: { ...failed, failures: RETRY_BUDGET, failure: failure("EngineTimedOut") } },
      {},
      { kind: "none" },
    ],
    [
      "looks for a missing image when it is time, and not before",
      { ...present, digest: "b" },
      { ...serving, imageWait: imageWait("b", 10) },
      {},
      { kind: "wait", until: at(10), reason: "Image" },
    ],
    ["looks for it then", present, { imageWait: imageWait("a", 0) }, {}, { kind: "up", reason: "FirstTime" }],
    [
      "does not wait for the image of another spec",
      { ...present, digest: "c" },
      { ...serving, imageWait: imageWait("b", 10) },
      {},
      { kind: "up", reason: "NewSpec" },
    ],
    [
      "still puts to sleep what serves while an image is missing",
      { ...present, digest: "b" },
      { ...serving, imageWait: imageWait("b", 10) },
      { sleepAfterSeconds: 0 },
      { kind: "sleep" },
    ],
    [
      "tries nothing without its image, not even what was interrupted",
      present,
      {
        interrupted: true,
        attempted: { ...failed, terminal: true, failure: { reason: "ImageNotFound", message: "", excerpt: [] } },
      },
      {},
      { kind: "none" },
    ],
    ["destroys what exists and shall not", absent, serving, {}, { kind: "destroy", reason: "Closed" }],
    [
      "destroys also what was interrupted",
      absent,
      { stackExists: true, interrupted: true },
      {},
      { kind: "destroy", reason: "Closed" },
    ],
    ["does nothing when what shall not exist does not", absent, {}, {}, { kind: "none" }],
    [
      "starts and destroys nothing when blocked",
      { kind: "blocked" },
      { stackExists: true, interrupted: true },
      {},
      { kind: "none" },
    ],
    [
      "still puts a blocked preview to sleep",
      { kind: "blocked" },
      serving,
      { sleepAfterSeconds: 0 },
      { kind: "sleep" },
    ],
    [
      "sleeps when a person says so",
      present,
      serving,
      { intents: { asleep: true, asleepSince: at(1) } },
      { kind: "sleep" },
    ],
    [
      "wakes on a visit after a person sent it to sleep",
      present,
      { ...serving, awake: false },
      { intents: { asleep: true, asleepSince: at(-9) }, lastVisitAt: at(-1) },
      { kind: "wake" },
    ],
    [
      "leaves an update asleep that nobody visits",
      present,
      { ...serving, awake: false },
      { sleepAfterSeconds: 0 },
      { kind: "none" },
    ],
    [
      "sleeps outside office hours, but not while somebody was just here",
      present,
      serving,
      { officeHours: closedAt("11"), sleepAfterSeconds: DAY_SECONDS },
      { kind: "none", dueAt: at(1800) },
    ],
    [
      "sleeps outside office hours when that is over",
      present,
      serving,
      { ...yesterday, officeHours: closedAt("11"), sleepAfterSeconds: 3 * DAY_SECONDS },
      { kind: "sleep" },
    ],
    [
      "sleeps on until office hours begin",
      present,
      { ...serving, awake: false },
      { ...yesterday, officeHours: closedAt("11"), sleepAfterSeconds: 3 * DAY_SECONDS },
      { kind: "none", dueAt: "2026-03-02T08:00:00.000Z" },
    ],
    [
      "sleeps on behind their beginning where nobody will have used it for so long",
      present,
      { ...serving, awake: false },
      { ...yesterday, officeHours: closedAt("11"), sleepAfterSeconds: DAY_SECONDS + 3600 },
      { kind: "none" },
    ],
    [
      "wakes by itself when office hours have begun",
      present,
      { ...serving, awake: false },
      { ...yesterday, officeHours: closedAt("18"), sleepAfterSeconds: 3 * DAY_SECONDS },
      { kind: "wake" },
    ],
    [
      "wakes on a visit outside office hours",
      present,
      { ...serving, awake: false },
      { ...yesterday, officeHours: closedAt("11"), sleepAfterSeconds: 3 * DAY_SECONDS, lastVisitAt: T0 },
      { kind: "wake" },
    ],
    [
      "looks again when office hours end",
      present,
      serving,
      { ...yesterday, officeHours: closedAt("18"), sleepAfterSeconds: 3 * DAY_SECONDS },
      { kind: "none", dueAt: "2026-03-01T18:00:00.000Z" },
    ],
    [
      "looks again later when somebody was here just before they end",
      present,
      serving,
      { officeHours: { ...closedAt("18"), wakeForSeconds: 7 * 3600 }, sleepAfterSeconds: undefined },
      { kind: "none", dueAt: at(7 * 3600) },
    ],
    [
      "does not count time in which everything was stopped as idle",
      present,
      serving,
      { ...yesterday, sleepAfterSeconds: DAY_SECONDS, pauses: [{ from: at(-7200), to: at(-3600) }] },
      { kind: "none", dueAt: at(3600) },
    ],
    [
      "waits while somebody else holds the stack",
      absent,
      { ...serving, conflictUntil: at(5) },
      {},
      { kind: "wait", until: at(5), reason: "Conflict" },
    ],
  ];
  function closedAt(hour: string): NonNullable<Observed["officeHours"]> {
    return { awake: "0 8 * * *", asleep: `0 ${hour} * * *`, timeZone: "UTC", wakeForSeconds: 1800 };
  }
  function imageWait(digest: string, seconds: number): NonNullable<PreviewStatus["imageWait"]> {
    return { digest, since: T0, until: at(900), nextAt: at(seconds), message: "" };
  }

  for (const [outcome, desired, status, observed, action] of table) {
    it(outcome, () => assert.deepEqual(decide(desired, look({ ...newStatus(T0), ...status }, observed), T0), action));
  }

  it("lets what would make a preview live wait for room, and nothing else", () => {
    const up: Action = { kind: "up", reason: "FirstTime" };
    const queued: Action = { kind: "wait", until: at(60), reason: "Queued" };
    const others: readonly Action[] = [
      { kind: "none" },
      { kind: "sleep" },
      { kind: "destroy", reason: "Closed" },
      { kind: "wait", until: at(5), reason: "Backoff" },
    ];
    assert.deepEqual(
      [up, { kind: "wake" } as const].map((action) => awaitRoom(action, at(60))),
      [queued, queued],
    );
    assert.deepEqual(awaitRoom(up, undefined), up);
    for (const action of others) assert.deepEqual(awaitRoom(action, at(60)), action);
  });

  it("looks at the world first when nobody knows what came of the last update", () => {
    const reasons = ["BuildFailed", "EngineInterrupted", "EngineTimedOut"];
    const looks = reasons.map((reason) =>
      needsRefresh({ interrupted: false, attempted: { ...failed, failure: failure(reason) } }),
    );
    assert.deepEqual(looks, [false, true, true]);
    assert.equal(needsRefresh({ interrupted: true, attempted: applied }), true);
    assert.equal(needsRefresh({ interrupted: false, attempted: { ...failed, cutShort: true } }), true);
    assert.equal(needsRefresh({ interrupted: false }), false);
  });

  it("doubles the pause up to its cap", () => {
    assert.deepEqual(
      [1, 2, 3, 9, 99].map((failures) => backoffMs(failures)),
      [5_000, 10_000, 20_000, 600_000, 600_000],
    );
  });
});

function failure(reason: string): NonNullable<NonNullable<PreviewStatus["attempted"]>["failure"]> {
  return { reason, message: "", excerpt: [] };
}

/** What may happen to a preview between two decisions. */
type Happening = { kind: "push" | "visit" | "sleep" | "kill" | "conflict" } | { kind: "pass"; seconds: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>(
    { kind: "push" },
    { kind: "visit" },
    { kind: "sleep" },
    { kind: "kill" },
    { kind: "conflict" },
  ),
  fc.integer({ min: 0, max: 7200 }).map((seconds): Happening => ({ kind: "pass", seconds })),
);
const life = fc.record({
  happenings: fc.array(happening, { maxLength: 30 }),
  /** How each action ends, in turn; success when the list is used up. */
  outcomes: fc.array(fc.constantFrom("ok", "passing", "terminal"), { maxLength: 40 }),
});

describe("decide, over whole lives", () => {
  it("never destroys a preview that shall exist or is blocked", () => {
    fc.assert(
      fc.property(life, fc.boolean(), ({ happenings, outcomes }, blocked) => {
        const model = modelOf(outcomes);
        for (const each of happenings) {
          model.happen(each);
          const actions = model.settle(blocked ? { kind: "blocked" } : undefined);
          assert.ok(!actions.some(({ kind }) => kind === "destroy"));
        }
      }),
    );
  });

  it("repeats no action for ever on unchanged input", () => {
    fc.assert(
      fc.property(life, ({ happenings, outcomes }) => {
        const model = modelOf(outcomes);
        for (const each of happenings) {
          model.happen(each);
          // Two for sleep and wake, and one update per try: more would be a loop.
          assert.ok(model.settle().length <= 3);
        }
      }),
    );
  });

  it("always ends by destroying one that shall not exist", () => {
    fc.assert(
      fc.property(life, ({ happenings, outcomes }) => {
        const model = modelOf(outcomes);
        for (const each of happenings) {
          model.happen(each);
          model.settle();
        }
        for (let look = 0; look < 60 && model.exists(); look++) {
          model.settle({ kind: "absent", reason: "Closed" });
          model.happen({ kind: "pass", seconds: 3600 });
        }
        assert.equal(model.exists(), false);
      }),
    );
  });

  it("is awake after a visit", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 30 }), (happenings) => {
        const model = modelOf([]);
        model.settle();
        for (const each of happenings) {
          model.happen(each);
          model.settle();
        }
        model.happen({ kind: "pass", seconds: 10 });
        model.happen({ kind: "visit" });
        model.settle();
        assert.equal(model.awake(), true);
      }),
    );
  });
});

/** A preview and a clock, with actions that end as told: what reconcile does with decide, without a world. */
function modelOf(outcomes: readonly string[]) {
  let now = T0;
  let input = 0;
  let turn = 0;
  let status = newStatus(T0);
  let observed: Partial<Observed> = {};

  function perform(action: Action, digest: string): void {
    const outcome = outcomes[turn++] ?? "ok";
    if (action.kind === "up") {
      const failures = status.attempted?.digest === digest ? status.attempted.failures : 0;
      const ok = outcome === "ok";
      const attempted = { digest, ok, terminal: outcome === "terminal", failures: ok ? 0 : failures + 1, at: now };
      status = {
        ...status,
        stackExists: true,
        interrupted: false,
        attempted,
        ...(ok ? { live, awake: true, failed: undefined } : {}),
      };
    } else if (outcome !== "ok" && (action.kind === "destroy" || action.kind === "sleep" || action.kind === "wake")) {
      const failures = status.failed?.action === action.kind ? status.failed.failures + 1 : 1;
      status = { ...status, failed: { action: action.kind, failures, at: now } };
    } else if (action.kind === "destroy") status = { ...status, ...gone("Closed", status, now) };
    else status = { ...status, awake: action.kind === "wake", failed: undefined };
  }

  return {
    exists: () => status.stackExists,
    awake: () => status.awake,
    happen(each: Happening) {
      if (each.kind === "pass") now = at(each.seconds, now);
      if (each.kind === "push") observed = { ...observed, lastPushAt: now };
      if (each.kind === "push") input += 1;
      if (each.kind === "visit") observed = { ...observed, lastVisitAt: now };
      if (each.kind === "sleep") observed = { ...observed, intents: { asleep: true, asleepSince: now } };
      if (each.kind === "kill" && status.stackExists) status = { ...status, interrupted: true };
      if (each.kind === "conflict") status = { ...status, conflictUntil: at(5, now) };
    },
    /** Looks until there is nothing to do now; the actions it came to. */
    settle(wish?: Desired): Action[] {
      const digest = `input ${input}`;
      const actions: Action[] = [];
      for (let round = 0; round < 20; round++) {
        const action = decide(wish ?? { kind: "present", digest }, look(status, observed), now);
        if (action.kind === "none" || action.kind === "wait") return actions;
        actions.push(action);
        perform(action, digest);
      }
      throw new Error(`it never settles: ${JSON.stringify(actions)}`);
    },
  };
}

function look(status: PreviewStatus, more: Partial<Observed>): Observed {
  return { status, intents: { asleep: false }, createdAt: T0, lastPushAt: T0, sleepAfterSeconds: 3600, ...more };
}

function at(seconds: number, from = T0): string {
  return new Date(Date.parse(from) + seconds * 1000).toISOString();
}
