/** Whatever else is said of a pull request: what of a stranger's runs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NO_INTENTS } from "../../service/intents.ts";
import { policy } from "../../service/policy.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { application, SHA, shop } from "../support/reconcile-world.ts";

const NOW = "2026-03-01T12:00:00.000Z";

const asked = fc.record({
  facts: fc.record({
    fork: fc.boolean(),
    trustedAuthor: fc.boolean(),
    draft: fc.boolean(),
    bot: fc.boolean(),
    headRef: fc.constantFrom("feature-1", "main"),
    labels: fc.subarray(["no-preview", "keep-preview"]),
  }),
  approved: fc.option(fc.constantFrom(SHA.a, SHA.b, SHA.a.toUpperCase(), SHA.a.slice(0, 12), ""), { nil: undefined }),
  isolation: fc.constantFrom("apart" as const, "together" as const, "sharing" as const, undefined),
  withoutIsolation: fc.option(fc.boolean(), { nil: undefined }),
  keep: fc.boolean(),
});

describe("a commit", () => {
  it("of a fork or an outsider runs only where that very commit is approved and something keeps it apart, or need not", () => {
    let ran = 0;
    fc.assert(
      fc.property(asked, ({ facts, approved, isolation, withoutIsolation, keep }) => {
        const verdict = policy({
          repository: { ...shop, untrusted: withoutIsolation === undefined ? {} : { withoutIsolation } },
          subject: { kind: "pullRequest", pullRequest: pullRequest(1, SHA.a, facts), defaultBranch: "main" },
          application: { kind: "found", application },
          intents: {
            ...NO_INTENTS,
            keep,
            ...(approved === undefined ? {} : { approved: { sha: approved, by: "@ada", at: NOW } }),
          },
          ...(isolation === undefined ? {} : { isolation }),
          hardStop: undefined,
          now: NOW,
        });
        const isTrusted = !facts.fork && facts.trustedAuthor;
        if (verdict.kind !== "present" || isTrusted) return;
        ran += 1;
        assert.equal(approved, SHA.a);
        assert.notEqual(isolation, "sharing");
        assert.ok(isolation === "apart" || withoutIsolation === true);
      }),
      { numRuns: 3_000 },
    );
    assert.ok(ran > 10, "some of them run");
  });
});
