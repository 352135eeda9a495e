import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { type Deadline, startDeadline } from "../../infra/deadline.ts";

const LIMIT_MS = 10_000;

describe("the deadline of a lease", () => {
  let asleep: number;
  let passed: number;
  let deadline: Deadline;

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
    asleep = 0;
    passed = 0;
    const onPassed = () => {
      passed++;
      deadline.cancel();
    };
    // Timers and the time of day stand still while the machine is suspended.
    deadline = startDeadline({ sinceBoot: () => asleep + Date.now() / 1000, onPassed }, LIMIT_MS);
  });
  afterEach(() => {
    deadline.cancel();
    mock.timers.reset();
  });

  it("passes once, when nothing renewed it in time, and never when it is cancelled", () => {
    mock.timers.tick(LIMIT_MS - 1);
    deadline.renew();
    mock.timers.tick(LIMIT_MS - 1);
    assert.equal(passed, 0);
    mock.timers.tick(LIMIT_MS);
    assert.equal(passed, 1);
    deadline.cancel();
    mock.timers.tick(10 * LIMIT_MS);
    assert.equal(passed, 1);
  });

  it("passes as soon as a machine wakes that slept for longer", () => {
    mock.timers.tick(LIMIT_MS / 2);
    asleep = 3_600;
    mock.timers.tick(LIMIT_MS / 20);
    assert.equal(passed, 1);
  });

  it("goes on after a short sleep, and for whoever renewed it since the machine woke", () => {
    mock.timers.tick(LIMIT_MS / 10);
    asleep = 5;
    mock.timers.tick(LIMIT_MS / 10);
    assert.equal(passed, 0);
    asleep = 3_600;
    deadline.renew();
    mock.timers.tick(LIMIT_MS / 2);
    assert.equal(passed, 0);
  });
});
