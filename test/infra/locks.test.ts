import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { startTimeOf } from "../../components/local/process-identity.ts";
import { isOursAndDead } from "../../infra/locks.ts";

const dead = spawnSync(process.execPath, ["--version"]).pid;
const now = new Date().toISOString();
const lock = { user: "root", host: "here", pid: dead, since: now };
const engine = { host: "here", pid: dead, startTime: "boot:1" };
const self = { host: "here", pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };

describe("a lock", () => {
  const table: readonly [string, boolean, Parameters<typeof isOursAndDead>][] = [
    ["of an engine we recorded that is gone may be cancelled", true, [lock, [engine], "here"]],
    ["of an engine we never recorded is a person's", false, [lock, [], "here"]],
    ["of another machine that no run of ours had is a person's", false, [{ ...lock, host: "there" }, [engine], "here"]],
    [
      "of an engine we recorded on another machine may be cancelled, for our lease began after its own",
      true,
      [{ ...lock, host: "there" }, [{ ...engine, host: "there" }], "here"],
    ],
    ["of an engine that ran on another machine is not ours", false, [lock, [{ ...engine, host: "there" }], "here"]],
    ["of an engine of ours that lives is waited for", false, [{ ...lock, pid: process.pid }, [self], "here"]],
    [
      "of a living process that took our dead engine's pid before the lock is that process's",
      false,
      [{ ...lock, pid: process.pid }, [{ ...self, startTime: "boot:1" }], "here"],
    ],
    [
      "that is older than the process with its pid now may be cancelled",
      true,
      [{ ...lock, pid: process.pid, since: "2020-01-01T00:00:00.000Z" }, [{ ...self, startTime: "boot:1" }], "here"],
    ],
  ];
  for (const [what, expected, args] of table) {
    it(what, () => assert.equal(isOursAndDead(...args), expected));
  }
});
