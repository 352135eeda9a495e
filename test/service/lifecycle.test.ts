import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gone } from "../../service/conditions.ts";
import type { Lifecycle } from "../../service/config/types.ts";
import { NO_INTENTS } from "../../service/intents.ts";
import {
  type Clocks,
  extended,
  type Lifetime,
  lifetimeOf,
  type Moment,
  nextEnd,
  warningOf,
} from "../../service/lifecycle.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { aPreview } from "../support/previews.ts";
import { SHA } from "../support/reconcile-world.ts";

const DAY_SECONDS = 86_400;
const T0 = "2026-11-21T10:00:00.000Z";
const TIMES: Lifecycle = {
  warnAfterSeconds: 14 * DAY_SECONDS,
  destroyAfterSeconds: 21 * DAY_SECONDS,
  hardStopSeconds: 30 * DAY_SECONDS,
  extendMaxSeconds: 90 * DAY_SECONDS,
};
const FRIDAY = { at: "0 22 * * 5", timeZone: "Europe/Berlin" };
const live = aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } });

describe("the lifetime of a preview", () => {
  const warned = { at: day(14), idleSince: T0, goesAt: day(21) };
  const table: readonly [string, Partial<Clocks>, Lifecycle, Partial<Lifetime>][] = [
    ["warns at 14 idle days and stops at 30 of age", {}, TIMES, { warnAt: day(14), hardStop: day(30) }],
    [
      "counts idleness from the last visit",
      { lastVisitAt: day(3) },
      TIMES,
      { idleSince: day(3), warnAt: day(17), hardStop: day(30) },
    ],
    [
      "counts idleness from the last push",
      { lastPushAt: day(2) },
      TIMES,
      { idleSince: day(2), warnAt: day(16), hardStop: day(30) },
    ],
    ["ends a week after the warning", status({ warned }), TIMES, { idleStop: day(21), hardStop: day(30) }],
    [
      "gives the whole week also when the warning came late, as after a month without the service",
      status({ warned: { ...warned, at: day(40) } }),
      TIMES,
      { idleStop: day(47), hardStop: day(30) },
    ],
    [
      "forgets a warning that a visit followed",
      { ...status({ warned }), lastVisitAt: day(15) },
      TIMES,
      { idleSince: day(15), warnAt: day(29), hardStop: day(30) },
    ],
    ["ends unwarned where warnings are off", {}, { destroyAfterSeconds: DAY_SECONDS }, { idleStop: day(1) }],
    ["has no end where all is off", {}, {}, {}],
    ["has no end when a person keeps it", intents({ keep: true }), TIMES, {}],
    [
      "has no end with the label, in whatever case it is written",
      { pullRequest: pullRequest(42, SHA.a, { labels: ["Keep-Preview"] }) },
      TIMES,
      {},
    ],
    [
      "counts anew when it is kept no more",
      intents({ clocksFrom: day(50) }),
      TIMES,
      { idleSince: day(50), warnAt: day(64), hardStop: day(80) },
    ],
    [
      "passes the hard stop when it was extended, and renews idleness from then on",
      intents({ extendedTo: day(40), renewedAt: day(10) }),
      TIMES,
      { idleSince: day(10), warnAt: day(33), hardStop: day(40) },
    ],
    [
      "is not shortened by an extension",
      intents({ extendedTo: day(2), renewedAt: T0 }),
      TIMES,
      { warnAt: day(14), hardStop: day(30) },
    ],
    ["goes in the next teardown", {}, { teardown: FRIDAY }, { teardownAt: "2026-11-27T21:00:00.000Z" }],
    [
      "is spared by the teardowns before the time that it was extended to",
      intents({ extendedTo: day(10), renewedAt: T0 }),
      { teardown: FRIDAY },
      { teardownAt: "2026-12-04T21:00:00.000Z" },
    ],
    ["is spared by all when it is kept", intents({ keep: true }), { teardown: FRIDAY }, {}],
    ["is spared by all while nothing was made", status({ stackExists: false }), { teardown: FRIDAY }, {}],
    ["is over once it is gone", status({ goneAt: day(9) }), TIMES, {}],
    ["is not idle while nothing was made", status({ stackExists: false }), TIMES, { hardStop: day(30) }],
    ["is not idle where nobody sees the visits", atEdge(), TIMES, { hardStop: day(30) }],
  ];
  for (const [outcome, changes, times, expected] of table) {
    it(outcome, () => {
      const { noticeMs: _, ...lifetime } = JSON.parse(
        JSON.stringify(lifetimeOf({ ...live, ...changes }, times, at(T0))),
      );
      assert.deepEqual(lifetime, { idleSince: T0, ...expected });
    });
  }
});

describe("a teardown", () => {
  const announced = "2026-11-27T21:00:00.000Z";
  const next = "2026-12-04T21:00:00.000Z";
  const told = { ...live, ...status({ teardownAt: announced }) };
  const on = (preview: Clocks, now: string, pauses: Moment["pauses"] = []) =>
    lifetimeOf(preview, { teardown: FRIDAY }, at(now, pauses)).teardownAt;

  it("that was announced is due at its hour, and for a night when the service was down", () => {
    assert.equal(on(told, announced), announced);
    assert.equal(on(told, "2026-11-28T09:00:00.000Z"), announced);
    assert.equal(on(told, "2026-11-28T09:00:01.000Z"), next);
  });

  it("that was not announced is not made up for, as when the config has just got it", () => {
    assert.equal(on(live, "2026-11-27T21:00:01.000Z"), next);
    assert.equal(on({ ...live, ...status({ teardownAt: "2026-11-27T20:00:00.000Z" }) }, announced), next);
  });

  it("spares what was used behind its hour, or extended", () => {
    const later = "2026-11-27T21:05:00.000Z";
    assert.equal(on({ ...told, lastVisitAt: "2026-11-27T20:59:00.000Z" }, later), announced);
    assert.equal(on({ ...told, lastVisitAt: "2026-11-27T21:01:00.000Z" }, later), next);
    assert.equal(on({ ...told, ...intents({ extendedTo: later, renewedAt: T0 }) }, announced), next);
  });

  it("whose hour fell into a pause does not come", () => {
    const pause = { from: "2026-11-27T20:00:00.000Z", to: "2026-11-27T22:00:00.000Z" };
    assert.equal(on(told, "2026-11-27T23:00:00.000Z", [pause]), next);
  });
});

describe("a pause", () => {
  const pauses = [
    { from: day(2), to: day(4) },
    { from: day(12), to: day(13) },
  ];

  it("ends nothing while it lasts", () => {
    const { hardStop, warnAt, idleStop, teardownAt } = lifetimeOf(
      { ...live, ...status({ warned: { at: day(14), idleSince: T0, goesAt: day(21) } }) },
      { ...TIMES, teardown: FRIDAY },
      at(day(99), [{ from: day(20) }]),
    );
    assert.deepEqual([hardStop, warnAt, idleStop, teardownAt], [undefined, undefined, undefined, undefined]);
  });

  it("of a budget is forgotten with the life that it was in", () => {
    const { status: stopped } = { ...live, ...status({ stops: [{ from: day(1), to: day(2) }] }) };
    assert.equal({ ...stopped, ...gone("Closed", stopped, day(3)) }.stops, undefined);
  });

  it("moves every end by its length, and several by the sum", () => {
    const moved = lifetimeOf(live, TIMES, at(day(13), pauses));
    assert.deepEqual([moved.warnAt, moved.hardStop], [day(17), day(33)]);
    const first = lifetimeOf(live, TIMES, at(day(5), pauses.slice(0, 1)));
    assert.deepEqual([first.warnAt, first.hardStop], [day(16), day(32)]);
  });

  it("moves what a person was given by extend, and the end of a warning", () => {
    const extension = { ...live, ...intents({ extendedTo: day(50), renewedAt: day(3) }) };
    assert.equal(lifetimeOf(extension, TIMES, at(day(13), pauses)).hardStop, day(52));
    const warned = { at: day(11), idleSince: T0, goesAt: day(18) };
    assert.equal(lifetimeOf({ ...live, ...status({ warned }) }, TIMES, at(day(13), pauses)).idleStop, day(24));
  });
});

describe("the warning", () => {
  it("is given once, stands until the preview is used, and is given again in the next idle spell", () => {
    const given = (preview: Clocks, now: string) =>
      warningOf(lifetimeOf(preview, TIMES, { now, pauses: [] }), preview.status, now);
    assert.equal(given(live, day(13)), undefined);
    const first = given(live, day(14));
    assert.deepEqual(first, { at: day(14), idleSince: T0, goesAt: day(21) });
    const standing = { ...live, ...status({ warned: first }) };
    assert.deepEqual(given(standing, day(15)), first);
    const visited = { ...standing, lastVisitAt: day(16) };
    assert.equal(given(visited, day(16)), undefined);
    assert.deepEqual(given(visited, day(30)), { at: day(30), idleSince: day(16), goesAt: day(37) });
  });

  it("looks each hour whether it is used while it is awake, and else when it ends", () => {
    const standing = { ...live, ...status({ warned: { at: day(14), idleSince: T0, goesAt: day(21) } }) };
    const lifetime = lifetimeOf(standing, TIMES, at(day(15)));
    assert.equal(nextEnd(lifetime, standing.status, day(15)), "2026-12-06T11:00:00.000Z");
    assert.equal(nextEnd(lifetime, { ...standing.status, awake: false }, day(15)), day(21));
    assert.equal(nextEnd(lifetimeOf(live, TIMES, at(T0)), live.status, T0), day(14));
    assert.equal(nextEnd(lifetimeOf(live, {}, at(T0)), live.status, T0), undefined);
  });
});

describe("extending", () => {
  it("reaches from now on as far as the operator allows", () => {
    const now = day(20);
    const moment = at(now);
    assert.deepEqual(extended(live, TIMES, { seconds: 2 * DAY_SECONDS, ...moment }), {
      intents: { extendedTo: day(22), renewedAt: now },
    });
    assert.deepEqual(extended(live, TIMES, { seconds: 71 * DAY_SECONDS, ...moment }), { furthest: day(90) });
    assert.deepEqual(extended(live, {}, { seconds: 900 * DAY_SECONDS, ...moment }), {
      intents: { extendedTo: day(920), renewedAt: now },
    });
  });

  it("reaches further by what a budget stopped", () => {
    const stopped = { ...live, ...status({ stops: [{ from: day(1), to: day(26) }] }) };
    const moment = at(day(100), [{ from: day(20), to: day(30) }]);
    assert.deepEqual(extended(stopped, TIMES, { seconds: 30 * DAY_SECONDS, ...moment }), { furthest: day(119) });
  });
});

function at(now: string, pauses: Moment["pauses"] = []): Moment {
  return { now, pauses };
}

function day(days: number): string {
  return new Date(Date.parse(T0) + days * DAY_SECONDS * 1000).toISOString();
}

function status(changes: Partial<Clocks["status"]>): Partial<Clocks> {
  return { status: { ...live.status, ...changes } };
}

function intents(changes: Partial<Clocks["intents"]>): Partial<Clocks> {
  return { intents: { ...NO_INTENTS, ...changes } };
}

function atEdge(): Partial<Clocks> {
  const spec = live.status.live;
  if (!spec) throw new Error("it serves nothing");
  const service = { driver: "kubernetes", options: { edge: "ingress" } };
  return status({ live: { ...spec, target: { ...spec.target, service } } });
}
