import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StacklingError } from "../../components/errors.ts";
import { needsRefresh } from "../../service/decide.ts";
import { failureOf } from "../../service/failure.ts";
import { mayHaveMigrated } from "../../service/rollback.ts";
import { newStatus, type Preview, type PreviewStatus } from "../../service/status.ts";
import { spec } from "../infra/world/world.ts";

const AT = "2026-03-01T12:00:00.000Z";
const serving: PreviewStatus = {
  ...newStatus(AT),
  stackExists: true,
  live: spec("shop-pr-1", []),
  attempted: { digest: "", ok: true, terminal: false, failures: 0, at: AT },
};

/** The status behind updates that failed for these reasons, one after the other. */
function behind(reasons: readonly string[], from: Partial<PreviewStatus> = {}): PreviewStatus {
  let status = { ...serving, ...from };
  for (const reason of reasons) {
    const action = { kind: "up", reason: "NewSpec" } as const;
    const error = new StacklingError({ reason, userMessage: "it failed" });
    const change = failureOf({ preview: { status } as Preview, action, spec: spec("a", []) }, error, {
      at: AT,
      isEnded: false,
    });
    status = { ...status, ...change };
  }
  return status;
}

describe("what is known behind updates that failed", () => {
  it("is that the world must be looked at, until one has worked, where a run was cut short", () => {
    const looks = (reasons: readonly string[], from?: Partial<PreviewStatus>) => needsRefresh(behind(reasons, from));
    assert.equal(looks(["CheckoutFailed"]), false);
    assert.equal(looks(["CheckoutFailed"], { interrupted: true }), true);
    assert.equal(looks(["CheckoutFailed", "DatabaseFailed"], { interrupted: true }), true);
    assert.equal(looks(["EngineTimedOut", "CheckoutFailed"]), true);
  });

  it("is that the database may have been migrated, until one has worked, where one came so far", () => {
    const migrated = (reasons: readonly string[], from?: Partial<PreviewStatus>) =>
      mayHaveMigrated(behind(reasons, from));
    assert.equal(migrated(["BuildFailed", "CheckoutFailed"]), false);
    assert.equal(migrated(["HealthCheckFailed", "BuildFailed"]), true);
    assert.equal(migrated(["MigrationFailed", "BuildFailed", "BuildFailed"]), true);
    assert.equal(migrated(["BuildFailed"], { interrupted: true }), true);
  });
});
