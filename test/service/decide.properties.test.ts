/** What holds of policy and decide from every status there may be, also from such as no run has led to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { PreviewSpec } from "../../infra/spec.ts";
import { gone } from "../../service/conditions.ts";
import type { Lifecycle } from "../../service/config/types.ts";
import { type Action, awaitRoom, type Desired, decide, type Observed, sleepsUntil } from "../../service/decide.ts";
import { type Intents, NO_INTENTS } from "../../service/intents.ts";
import { lifetimeOf } from "../../service/lifecycle.ts";
import type { PauseSpan } from "../../service/pauses.ts";
import { type PolicyInput, policy } from "../../service/policy.ts";
import { REASONS } from "../../service/reasons.ts";
import { newStatus, type PreviewStatus } from "../../service/status.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { shop } from "../support/reconcile-world.ts";

const T0 = "2026-03-01T12:00:00.000Z";
const DAY_SECONDS = 86_400;
const choice = { driver: "local", options: {} };
const target = { name: "local", service: choice, dns: choice, secrets: choice };
const live = { stack: "shop-pr-1", target } as PreviewSpec;

/** ISO 8601 within two days of now. */
const time = fc.integer({ min: -2 * DAY_SECONDS, max: 2 * DAY_SECONDS }).map((seconds) => at(seconds));
const past = fc.integer({ min: -2 * DAY_SECONDS, max: 0 }).map((seconds) => at(seconds));
const reason = fc.constantFrom(...REASONS);
const failure = fc.record({ reason, message: fc.constant(""), excerpt: fc.constant([]) });
const failures = fc.integer({ min: 1, max: 400 });

const status: fc.Arbitrary<PreviewStatus> = fc
  .record(
    {
      stackExists: fc.boolean(),
      interrupted: fc.boolean(),
      awake: fc.boolean(),
      live: fc.constant(live),
      attempted: fc.record(
        { digest: digest(), ok: fc.boolean(), terminal: fc.boolean(), failures, at: past, failure },
        { requiredKeys: ["digest", "ok", "terminal", "failures", "at"] },
      ),
      failed: fc.record({ action: fc.constantFrom("destroy", "sleep", "wake"), failures, at: past }),
      conflictUntil: fc.integer({ min: -60, max: 60 }).map((seconds) => at(seconds)),
      imageWait: fc.record({
        digest: digest(),
        since: past,
        until: time,
        nextAt: fc.integer({ min: -60, max: 600 }).map((seconds) => at(seconds)),
        message: fc.constant(""),
      }),
    },
    { requiredKeys: ["stackExists", "interrupted", "awake"] },
  )
  .map((fields) => ({ ...newStatus(T0), ...fields }));

const officeHours = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York").chain((timeZone) =>
  fc.record({
    awake: fc.constantFrom("0 8 * * 1-5", "30 2 * * *", "0 8,13 * * *"),
    asleep: fc.constantFrom("0 19 * * 1-5", "0 12,18 * * *", "0 0 * * 6"),
    timeZone: fc.constant(timeZone),
    wakeForSeconds: fc.integer({ min: 60, max: 4 * 3600 }),
  }),
);
/** Over, and one behind the other. */
const pauses: fc.Arbitrary<readonly PauseSpan[]> = fc
  .uniqueArray(fc.integer({ min: -2 * DAY_SECONDS, max: 0 }), { maxLength: 6 })
  .map((moments) => {
    const times = moments.sort((a, b) => a - b).map((seconds) => at(seconds));
    return times.flatMap((from, index) =>
      index % 2 === 0 && times[index + 1] ? [{ from, to: times[index + 1] }] : [],
    );
  });
const intents: fc.Arbitrary<Intents> = fc
  .record(
    {
      keep: fc.boolean(),
      asleep: fc.boolean(),
      asleepSince: past,
      extendedTo: time,
      renewedAt: past,
      clocksFrom: past,
    },
    { requiredKeys: ["keep", "asleep"] },
  )
  .map((wishes) => ({ ...NO_INTENTS, ...wishes }));
const seconds = fc.option(fc.integer({ min: 600, max: 3 * DAY_SECONDS }), { nil: undefined });
const lifecycle: fc.Arbitrary<Lifecycle> = fc.record({
  warnAfterSeconds: seconds,
  destroyAfterSeconds: seconds,
  hardStopSeconds: seconds,
  teardown: fc.option(
    fc.constantFrom("0 22 * * 5", "*/7 * * * *").map((schedule) => ({ at: schedule, timeZone: "UTC" })),
    {
      nil: undefined,
    },
  ),
});

const observed: fc.Arbitrary<Observed> = fc.record({
  status,
  intents: fc.record({ asleep: fc.boolean(), asleepSince: past }),
  createdAt: past,
  lastPushAt: past,
  lastVisitAt: fc.option(past, { nil: undefined }),
  sleepAfterSeconds: fc.option(fc.integer({ min: 60, max: 2 * DAY_SECONDS }), { nil: undefined }),
  officeHours: fc.option(officeHours, { nil: undefined }),
  pauses,
  paused: fc.boolean(),
});
const outcomes = fc.infiniteStream(fc.tuple(fc.constantFrom("ok", "passing", "terminal"), reason));

/** Whatever else the forge, the application and people say of an open pull request before its end. */
const openInput: fc.Arbitrary<PolicyInput> = fc
  .record({
    fork: fc.boolean(),
    trustedAuthor: fc.boolean(),
    draft: fc.boolean(),
    bot: fc.boolean(),
    labels: fc.array(fc.constantFrom("preview", "no-preview", "keep-preview")),
    headRef: fc.constantFrom("feature-1", "main", "--help"),
    read: fc.constantFrom("pullRequest", "missing", "unreachable"),
    repository: fc.option(fc.constant(shop), { nil: undefined }),
    application: fc.constantFrom("unread", "invalid", "unreachable"),
    wishes: intents,
    ahead: fc.option(
      fc.integer({ min: 1, max: DAY_SECONDS }).map((seconds) => at(seconds)),
      { nil: undefined },
    ),
    hardStop: fc.option(
      fc.integer({ min: 1, max: DAY_SECONDS }).map((seconds) => at(seconds)),
      { nil: undefined },
    ),
  })
  .map(({ read, repository, application, hardStop, wishes, ahead, ...facts }) => ({
    repository,
    hardStop,
    teardownAt: ahead,
    ...(ahead === undefined ? {} : { idle: { since: T0, until: ahead } }),
    intents: { ...wishes, removed: undefined },
    now: T0,
    subject:
      read === "pullRequest"
        ? { kind: read, pullRequest: pullRequest(1, "a".repeat(40), facts), defaultBranch: "main" }
        : { kind: read, message: "" },
    application: application === "unread" ? undefined : { kind: application, message: "", problems: [] },
  }));

describe("policy and decide, from every status there may be", () => {
  it("never destroy a preview whose pull request is open, or may be, before its expiry", () => {
    fc.assert(
      fc.property(openInput, observed, (input, seen) => {
        const verdict = policy(input);
        assert.notEqual(verdict.kind, "absent");
        const wishes: readonly Desired[] = [{ kind: "blocked" }, { kind: "present", digest: "a" }];
        for (const wish of wishes) assert.notEqual(decide(wish, seen, T0).kind, "destroy");
      }),
    );
  });

  it("always end by destroying one whose pull request is closed, however often that fails at first", () => {
    fc.assert(
      fc.property(observed, fc.integer({ min: 0, max: 50 }), (seen, fails) => {
        const world = worldOf(seen, [], { fails });
        const actions = world.untilQuiet({ kind: "absent", reason: "Closed" }, 200);
        assert.equal(world.seen().status.stackExists, false);
        assert.ok(actions.every(({ kind }) => kind === "destroy"));
      }),
    );
  });
});

describe("the ends of a preview, from every status there may be", () => {
  const clocks = fc.record({ createdAt: past, lastPushAt: past, lastVisitAt: fc.option(past, { nil: undefined }) });
  const warned = fc.option(fc.record({ at: past, idleSince: past, goesAt: time }), { nil: undefined });
  const teardownAt = fc.option(
    fc.oneof(
      time,
      fc.integer({ min: -120, max: 0 }).map((steps) => at(steps * 420)),
    ),
    {
      nil: undefined,
    },
  );
  const life = fc.record({ clocks, status, warned, teardownAt, intents, lifecycle, pauses });
  const lifetime = (
    lived: typeof life extends fc.Arbitrary<infer L> ? L : never,
    more: Partial<Intents> = {},
    open = false,
  ) =>
    lifetimeOf(
      {
        ...lived.clocks,
        intents: { ...lived.intents, ...more },
        status: { ...lived.status, warned: lived.warned, teardownAt: lived.teardownAt },
      },
      lived.lifecycle,
      { now: T0, pauses: open ? [...lived.pauses, { from: T0 }] : lived.pauses },
    );
  const due = ({ hardStop, idleStop, teardownAt: teardown }: ReturnType<typeof lifetimeOf>) =>
    [hardStop, idleStop, teardown].filter((end) => end !== undefined && end <= T0);

  it("never come for one that is kept, nor while everything is stopped", () => {
    fc.assert(
      fc.property(life, (lived) => {
        assert.deepEqual(due(lifetime(lived, { keep: true })), []);
        assert.deepEqual(due(lifetime(lived, {}, true)), []);
      }),
    );
  });

  it("never come before what it was extended to", () => {
    fc.assert(
      fc.property(life, fc.integer({ min: 1, max: DAY_SECONDS }), (lived, ahead) => {
        const warnedBefore = { ...lived, warned: undefined };
        const ends = due(lifetime(warnedBefore, { keep: false, extendedTo: at(ahead), renewedAt: T0 }));
        assert.deepEqual(ends, []);
      }),
    );
  });

  it("never come for idleness where its author was not warned, nor in a teardown that was not announced", () => {
    fc.assert(
      fc.property(life, (lived) => {
        const { idleStop, teardownAt: teardown } = lifetime({ ...lived, warned: undefined, teardownAt: undefined });
        if (lived.lifecycle.warnAfterSeconds !== undefined) assert.equal(idleStop, undefined);
        assert.ok(teardown === undefined || teardown > T0);
      }),
    );
  });

  it("come no sooner with a pause than without", () => {
    fc.assert(
      fc.property(life, (lived) => {
        const [with_, without] = [lifetime(lived), lifetime({ ...lived, pauses: [] })];
        for (const end of ["hardStop", "idleStop", "warnAt"] as const) {
          assert.ok((with_[end] ?? "9") >= (without[end] ?? ""), end);
        }
      }),
    );
  });
});

describe("decide, on input that does not change", () => {
  const wishes = fc.oneof(
    fc
      .record({ digest: fc.constantFrom("a", "b"), unasked: fc.boolean() })
      .map((spec): Desired => ({ kind: "present", ...spec })),
    fc.constant<Desired>({ kind: "blocked" }),
    fc.constant<Desired>({ kind: "absent", reason: "Merged" }),
  );

  it("comes to rest when all goes well", () => {
    fc.assert(
      fc.property(observed, wishes, (seen, wish) => {
        // By office hours it sleeps and wakes each day, for as long as it is in use.
        const actions = worldOf({ ...seen, officeHours: undefined }, []).untilQuiet(wish, 20);
        const count = (kind: Action["kind"]) => actions.filter((action) => action.kind === kind).length;
        for (const kind of ["up", "wake", "destroy"] as const) assert.ok(count(kind) <= 1, JSON.stringify(actions));
        // Once before and once behind an update that waited for its image.
        assert.ok(count("sleep") <= 2, JSON.stringify(actions));
      }),
    );
  });

  it("sleeps and wakes by office hours only as their beginnings and ends come", () => {
    fc.assert(
      fc.property(observed, officeHours, wishes, (seen, hours, wish) => {
        const world = worldOf({ ...seen, paused: false, officeHours: hours }, []);
        let acts = 0;
        while (world.now() < at(7 * DAY_SECONDS)) {
          const action = world.step(wish);
          if (action.kind === "sleep" || action.kind === "wake") acts += 1;
          if (action.kind === "none" && action.dueAt === undefined) break;
        }
        // Twice a day at most by any of these hours, and what was to be done at first.
        assert.ok(acts <= 7 * 4 + 3, `${acts} times in a week`);
      }),
      { numRuns: 50 },
    );
  });

  it("says until when it sleeps for office hours alone exactly where it wakes by itself then", () => {
    fc.assert(
      fc.property(observed, officeHours, (seen, hours) => {
        const asleep = { ...newStatus(T0), stackExists: true, live, awake: false, attempted: applied };
        const by = { ...seen, paused: false, status: asleep, officeHours: hours };
        const until = sleepsUntil(by, T0);
        if (until === undefined) return;
        assert.deepEqual(decide({ kind: "blocked" }, by, T0), { kind: "none", dueAt: until });
        assert.deepEqual(decide({ kind: "blocked" }, by, until), { kind: "wake" });
      }),
      { numRuns: 1000 },
    );
  });

  it("starts nothing while everything is stopped or a cap leaves no room, and still destroys what is closed", () => {
    fc.assert(
      fc.property(observed, wishes, (seen, wish) => {
        const stopped = decide(wish, { ...seen, paused: true }, T0);
        const crowded = awaitRoom(decide(wish, { ...seen, paused: false }, T0), at(60));
        for (const action of [stopped, crowded]) assert.ok(action.kind !== "up" && action.kind !== "wake");
        const free = {
          ...seen,
          status: { ...seen.status, stackExists: true, failed: undefined, conflictUntil: undefined },
        };
        const closed = decide({ kind: "absent", reason: "Closed" }, { ...free, paused: true }, T0);
        assert.deepEqual(awaitRoom(closed, at(60)), { kind: "destroy", reason: "Closed" });
      }),
    );
  });

  it("tries again what fails ever later, and so not more than 300 times in a day", () => {
    fc.assert(
      fc.property(observed, wishes, outcomes, (seen, wish, stream) => {
        const world = worldOf(seen, stream);
        let tries = 0;
        while (world.now() < at(DAY_SECONDS)) {
          const action = world.step(wish);
          if (action.kind === "none" && action.dueAt === undefined) break;
          if (action.kind !== "none" && action.kind !== "wait") tries += 1;
        }
        assert.ok(tries <= 300, `${tries} tries`);
      }),
      { numRuns: 50 },
    );
  });

  it("wakes what serves and sleeps when it is visited", () => {
    fc.assert(
      fc.property(observed, fc.constantFrom<Desired["kind"]>("present", "blocked"), (seen, kind) => {
        const asleep = { ...newStatus(T0), stackExists: true, live, awake: false, attempted: applied };
        const visited = { ...seen, paused: false, status: asleep, lastVisitAt: at(1) };
        const world = worldOf(visited, [], { now: at(1) });
        const actions = world.untilQuiet(kind === "present" ? { kind, digest: "a" } : { kind: "blocked" }, 1);
        assert.deepEqual(actions, [{ kind: "wake" }]);
      }),
    );
  });
});

const applied = { digest: "a", ok: true, terminal: false, failures: 0, at: T0 };

/** What reconcile makes of each action, and a clock that goes on only when there is nothing to do. */
function worldOf(
  from: Observed,
  stream: Iterable<readonly [string, string]>,
  { now = T0, fails = 0 }: { now?: string; fails?: number } = {},
) {
  let seen = from;
  let left = fails;
  const endings = stream[Symbol.iterator]();

  function ending(): readonly [string, string] {
    if (left-- > 0) return ["passing", "EngineFailed"];
    return endings.next().value ?? ["ok", ""];
  }

  function perform(action: Action, wish: Desired): void {
    const { status } = seen;
    const [outcome, reason] = ending();
    const ok = outcome === "ok";
    const change = (fields: Partial<PreviewStatus>) => {
      seen = { ...seen, status: { ...status, conflictUntil: undefined, ...fields } };
    };
    if (action.kind === "up" && wish.kind === "present") {
      const { digest } = wish;
      const failures = ok ? 0 : (status.attempted?.digest === digest ? status.attempted.failures : 0) + 1;
      const failure = { reason, message: "", excerpt: [] };
      const attempted = { digest, ok, terminal: outcome === "terminal", failures, at: now, ...(ok ? {} : { failure }) };
      change({
        stackExists: true,
        interrupted: false,
        attempted,
        imageWait: undefined,
        ...(ok ? { live, awake: true, failed: undefined } : {}),
      });
    } else if (!ok && (action.kind === "destroy" || action.kind === "sleep" || action.kind === "wake")) {
      const failures = status.failed?.action === action.kind ? status.failed.failures + 1 : 1;
      change({ failed: { action: action.kind, failures, at: now } });
    } else if (action.kind === "destroy") change(gone("Closed", status, now));
    else change({ awake: action.kind === "wake", failed: undefined });
  }

  const step = (wish: Desired): Action => {
    const action = decide(wish, seen, now);
    const until = action.kind === "wait" ? action.until : action.kind === "none" ? action.dueAt : undefined;
    if (action.kind !== "none" && action.kind !== "wait") perform(action, wish);
    if (until === undefined) return action;
    assert.ok(until > now, `waiting until ${until} at ${now} would be for ever`);
    now = until;
    return action;
  };
  return {
    now: () => now,
    seen: () => seen,
    step,
    /** Steps until there is nothing to do and nothing to wait for, or so many actions are done. */
    untilQuiet(wish: Desired, most: number): Action[] {
      const actions: Action[] = [];
      for (let steps = 0; steps < 2 * most + 10 && actions.length < most; steps++) {
        const action = step(wish);
        if (action.kind === "none" && action.dueAt === undefined) break;
        if (action.kind !== "none" && action.kind !== "wait") actions.push(action);
      }
      return actions;
    },
  };
}

function digest(): fc.Arbitrary<string> {
  return fc.constantFrom("a", "b");
}

function at(seconds: number, from = T0): string {
  return new Date(Date.parse(from) + seconds * 1000).toISOString();
}
