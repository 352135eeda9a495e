import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TerminalError } from "../../components/errors.ts";
import { EngineFailure, lockedError, lockHolders, toStacklingError } from "../../infra/engine-errors.ts";
import type { EngineExit } from "../../infra/engine-process.ts";

function failure(stderr: string, more: Pick<Partial<EngineExit>, "code" | "interrupted"> = { code: 1 }): EngineFailure {
  return new EngineFailure(["up"], { code: more.code, stdout: "", stderr, interrupted: more.interrupted });
}

const context = { stack: "shop-pr-1", action: "updating", diagnostics: [], secrets: ["hunter2"] };

describe("an engine's failure", () => {
  it("names the holders of a lock", () => {
    const stderr = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///state/.pulumi/locks/x.json: created by alice@laptop (pid 4711) at 2026-03-01T10:00:00+02:00`;
    const holders = lockHolders(failure(stderr));
    assert.deepEqual(holders, [{ user: "alice", host: "laptop", pid: 4711, since: "2026-03-01T08:00:00.000Z" }]);
    const { message, reason } = lockedError("shop-pr-1", holders ?? [], Date.parse("2026-03-01T08:12:30Z"));
    assert.equal(reason, "StackLocked");
    assert.equal(
      message,
      'updating stack "shop-pr-1": it is locked by alice@laptop (pid 4711) since 2026-03-01T08:00:00.000Z, for 12 min',
    );
  });

  it("is a lock without holders where the backend does not say who", () => {
    assert.deepEqual(lockHolders(failure("error: [409] Conflict: Another update is currently in progress.")), []);
  });

  it("is no lock when it is something else", () => {
    assert.equal(lockHolders(failure("error: boom")), undefined);
    assert.equal(lockHolders(new Error("stack is currently locked by")), undefined);
  });

  it("keeps secrets and credentials out of its message and cause", () => {
    const error = toStacklingError(failure("error: login to postgres://app:pw@db/shop with hunter2 failed"), context);
    assert.equal(
      error.userMessage,
      'updating stack "shop-pr-1": login to postgres://[secret]@db/shop with [secret] failed',
    );
    assert.doesNotMatch(String((error.cause as Error).message), /hunter2|app:pw/);
  });

  it("says why it was stopped, and when nobody stopped it that it was killed", () => {
    const why = "it took longer than 900 s";
    const late = toStacklingError(failure("", { code: 1, interrupted: { by: "limit", why } }), context);
    const asked = toStacklingError(failure("", { code: 1, interrupted: { by: "wish", why: "asked" } }), context);
    const killed = toStacklingError(failure("", {}), context);
    const reasons = [late, asked, killed].map(({ reason }) => reason);
    assert.deepEqual(reasons, ["EngineTimedOut", "EngineInterrupted", "EngineInterrupted"]);
    assert.match(late.userMessage, /the engine was stopped because it took longer than 900 s$/);
    assert.match(killed.userMessage, /the engine was killed$/);
  });

  const noPlugin: readonly [string, string][] = [
    [
      "error: no resource plugin 'pulumi-resource-kubernetes' found in the workspace at version v4.34.2 or on your $PATH",
      "pulumi plugin install resource kubernetes v4.34.2",
    ],
    [
      "error: Could not automatically download and install resource plugin 'pulumi-resource-kubernetes' at version v4.34.2, install the plugin using `pulumi plugin install resource kubernetes v4.34.2 --server x`: error downloading provider kubernetes to file: failed all 5 attempts",
      "pulumi plugin install resource kubernetes v4.34.2 --server x",
    ],
  ];
  for (const [words, command] of noPlugin) {
    it(`names plugin, version and the way in place of "${words.slice(7, 45)}…"`, () => {
      const { reason, userMessage } = toStacklingError(failure(""), { ...context, diagnostics: [words] });
      const killed = toStacklingError(failure(words, { code: 1 }), context);
      assert.deepEqual([reason, killed.reason], ["PluginMissing", "PluginMissing"]);
      assert.ok(
        userMessage.includes(`the engine has no plugin "kubernetes" v4.34.2`) && userMessage.includes(`\`${command}\``),
      );
    });
  }

  const outages: readonly [reason: string, stderr: string][] = [
    ["DiskFull", "error: 2 errors occurred:\n    1) write /state/.pulumi/locks/x.tmp: no space left on device"],
    [
      "DiskFull",
      'error: could not create stack: blob (key "x.json") (code=Unknown): write /s/x.tmp: no space left on device',
    ],
    ["DiskReadOnly", "error: open /state/.pulumi/locks/x.tmp: read-only file system"],
    [
      "BackendUnavailable",
      'error: unable to open state directory "file:///gone": stat /gone: no such file or directory',
    ],
    [
      "BackendUnavailable",
      'error: read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject, dial tcp 127.0.0.1:9: connect: connection refused',
    ],
    [
      "BackendUnavailable",
      'error: read ".pulumi/meta.yaml": operation error S3: GetObject, exceeded maximum number of attempts, 3, request send failed, Get "http://127.0.0.1:9/x": EOF',
    ],
    [
      "BackendUnavailable",
      'error: unable to open state database "postgres://u:p@h/x": failed to ping PostgreSQL: dial tcp 127.0.0.1:9: connect: connection refused',
    ],
    ["BackendUnavailable", 'error: performing HTTP request: Get "http://127.0.0.1:9/api/user": connection refused'],
  ];
  for (const [reason, stderr] of outages) {
    it(`is ${reason}, which is tried again, in place of "${stderr.slice(7, 60).replace(/\s+/g, " ")}…"`, () => {
      const error = toStacklingError(failure(stderr), context);
      assert.equal(error.reason, reason);
      assert.ok(!(error instanceof TerminalError));
      assert.doesNotMatch(error.userMessage, /\/state|127\.0|u:p/);
    });
  }

  it("is an outage also where Node's own calls tell it", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    assert.equal(toStacklingError(full, context).reason, "DiskFull");
  });

  it("prefers the engine's diagnostics to its last words", () => {
    const diagnostics = ["\nerror: no plugin found\nmore"];
    const error = toStacklingError(failure("error: update failed"), { ...context, diagnostics });
    assert.equal(error.userMessage, 'updating stack "shop-pr-1": no plugin found');
  });
});
