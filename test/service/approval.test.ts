import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ApprovalRead, standingOf, waitsFor } from "../../service/approval.ts";
import { approvalOf, approvalRule } from "../../service/config/approval.ts";
import type { EnvironmentRule } from "../../service/forges/reviews.ts";
import { type Intents, NO_INTENTS } from "../../service/intents.ts";
import { policy } from "../../service/policy.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { application, SHA, shop } from "../support/reconcile-world.ts";

const AT = "2026-03-01T12:00:00.000Z";
const LATER = "2026-03-01T12:10:00.000Z";

interface Case {
  readonly rule: Parameters<typeof approvalRule.parse>[0];
  /** `name commit`, said to us. */
  readonly said?: readonly string[];
  readonly reviews?: readonly string[];
  readonly environment?: EnvironmentRule;
  readonly intents?: Partial<Intents>;
  readonly now?: string;
  readonly unread?: string;
  /** Who wrote and who pushed the commit, as the forge tells. */
  readonly madeBy?: readonly string[];
}

function inputOf({ rule, said = [], reviews = [], environment, intents, now = LATER, unread, madeBy = [] }: Case) {
  const approval: ApprovalRead =
    unread === undefined
      ? {
          kind: "found",
          madeBy,
          reviews: reviews.map((by) => ({ by, at: AT })),
          ...(environment ? { environment } : {}),
        }
      : { kind: "unreachable", message: unread };
  const approvals = said.map((one) => {
    const [, by = "", sha = ""] = /^(.+) (\S+)$/.exec(one) ?? [];
    return { by, sha, at: AT };
  });
  return {
    repository: { ...shop, approval: approvalOf(approvalRule.parse(rule)) },
    subject: {
      kind: "pullRequest",
      pullRequest: pullRequest(1, SHA.a, { author: "ada" }),
      defaultBranch: "main",
      approval,
    },
    intents: { ...NO_INTENTS, approvals, ...intents },
    pushedAt: AT,
    now,
  } as const;
}

/** What it waits for; "runs" for nothing. */
function waits(one: Case): string {
  const standing = standingOf(inputOf(one));
  if (!standing) return "runs";
  return "unread" in standing ? `unread: ${standing.unread}` : (waitsFor(standing) ?? "runs");
}

describe("a commit under a rule of approvals", () => {
  const two = { required: 2 };
  const env: EnvironmentRule = { reviewers: ["@bob", "@cy"], own: true, waitSeconds: 0 };
  const back = { rolledBack: { sha: SHA.b, head: SHA.a, by: "@ada", at: AT } };
  const table: readonly (readonly [what: string, Case, waits: string])[] = [
    ["waits for as many as are asked for", { rule: two }, "0 of 2 approvals of commit `aaaaaaa`"],
    [
      "counts a word to us and a review alike, and names who said it",
      { rule: two, said: [`@bob ${SHA.a}`] },
      "1 of 2 approvals of commit `aaaaaaa`: by @bob",
    ],
    ["runs with both", { rule: two, said: [`@bob ${SHA.a}`], reviews: ["@cy"] }, "runs"],
    [
      "counts the printed link and the instance's token once, for one person has both",
      { rule: two, said: [`api ${SHA.a}`, `page ${SHA.a}`] },
      "1 of 2 approvals of commit `aaaaaaa`: by api",
    ],
    [
      "counts a person once, however written and wherever it was said",
      { rule: two, said: [`@bob ${SHA.a}`, `@bob ${SHA.a}`], reviews: ["@Bob"] },
      "1 of 2 approvals of commit `aaaaaaa`: by @bob",
    ],
    [
      "counts nobody for what he opened himself",
      { rule: { required: 1 }, said: [`@Ada ${SHA.a}`], reviews: ["@ada"] },
      "0 of 1 approval of commit `aaaaaaa`",
    ],
    [
      "counts nobody who wrote or pushed it, whoever opened the pull request",
      { rule: two, madeBy: ["@bob", "@cy"], said: [`@Bob ${SHA.a}`], reviews: ["@cy", "@dan"] },
      "1 of 2 approvals of commit `aaaaaaa`: by @dan",
    ],
    [
      "counts no token, for that is a program's",
      { rule: { required: 1 }, said: [`token ci ${SHA.a}`] },
      "0 of 1 approval of commit `aaaaaaa`",
    ],
    ["counts a token that is named", { rule: { required: 1, by: ["token ci"] }, said: [`token ci ${SHA.a}`] }, "runs"],
    [
      "counts no name of which nobody knows whether it is of one of those who made it, unless the rule has it",
      { rule: { required: 1 }, said: [`ada@acme.dev ${SHA.a}`, `subject 7 ${SHA.a}`] },
      "0 of 1 approval of commit `aaaaaaa`",
    ],
    [
      "takes nobody of another forge for who has the same login here",
      { rule: { required: 1, by: ["bob"] }, said: [`@bob of hub ${SHA.a}`] },
      "0 of 1 approval of commit `aaaaaaa` (@bob)",
    ],
    [
      "counts no word for another commit",
      { rule: { required: 1 }, said: [`@bob ${SHA.b}`] },
      "0 of 1 approval of commit `aaaaaaa`",
    ],
    [
      "counts only those who are named, where some are",
      { rule: { required: 1, by: ["cy", "dan@acme.dev"] }, reviews: ["@bob"] },
      "0 of 1 approval of commit `aaaaaaa` (@cy, dan@acme.dev)",
    ],
    ["takes one that is named", { rule: { required: 1, by: ["cy"] }, reviews: ["@Cy"] }, "runs"],
    [
      "takes the name of a mail address for that alone",
      { rule: { required: 1, by: ["dan@acme.dev"] }, said: [`dan@acme.dev ${SHA.a}`] },
      "runs",
    ],
    ["waits for its time", { rule: { wait: "30m" } }, "Commit `aaaaaaa` waits until 2026-03-01 12:30 UTC"],
    ["runs once that has come", { rule: { wait: "10m" } }, "runs"],
    [
      "waits for both",
      { rule: { ...two, wait: "30m" }, reviews: ["@bob"] },
      "1 of 2 approvals of commit `aaaaaaa`: by @bob; waits until 2026-03-01 12:30 UTC",
    ],
    [
      "waits for a reviewer of the environment",
      { rule: { environment: "preview" }, environment: env, reviews: ["@eve"] },
      '0 of 1 approval of commit `aaaaaaa` by a reviewer of the environment "preview" (@bob, @cy)',
    ],
    ["runs with one of them", { rule: { environment: "preview" }, environment: env, reviews: ["@cy"] }, "runs"],
    [
      "waits as long as the environment says, where that is longer",
      { rule: { environment: "preview", wait: "11m" }, environment: { own: true, waitSeconds: 1200 } },
      "Commit `aaaaaaa` waits until 2026-03-01 12:20 UTC",
    ],
    [
      "asks for what both ask for",
      { rule: { required: 1, environment: "preview" }, environment: { ...env, reviewers: ["@cy"] }, reviews: ["@bob"] },
      '0 of 1 approval of commit `aaaaaaa` by a reviewer of the environment "preview" (@cy)',
    ],
    [
      "lets who opened it approve where the environment does",
      { rule: { environment: "preview" }, environment: { ...env, reviewers: ["@ada"] }, said: [`@ada ${SHA.a}`] },
      "runs",
    ],
    [
      "and not where it prevents that",
      {
        rule: { environment: "preview" },
        environment: { ...env, reviewers: ["@ada"], own: false },
        said: [`@ada ${SHA.a}`],
      },
      '0 of 1 approval of commit `aaaaaaa` by a reviewer of the environment "preview" (@ada)',
    ],
    [
      "of an environment whose teams are empty is nobody's to approve",
      { rule: { environment: "preview" }, environment: { ...env, reviewers: [] }, reviews: ["@bob"] },
      '0 of 1 approval of commit `aaaaaaa` by a reviewer of the environment "preview" (there is none)',
    ],
    ["says so where that cannot be read", { rule: two, unread: "GitHub answered 502" }, "unread: GitHub answered 502"],
    ["goes back to what served without being asked", { rule: two, intents: back }, "runs"],
  ];
  for (const [what, one, expected] of table) it(what, () => assert.equal(waits(one), expected));

  it("starts nothing while it waits, and is looked at again when its time comes", () => {
    const rest = { application: { kind: "found", application }, hardStop: undefined } as const;
    const verdict = (one: Case) => policy({ ...inputOf(one), ...rest });
    const waiting = verdict({ rule: { required: 1, wait: "30m" } });
    assert.ok(waiting.kind === "blocked");
    assert.deepEqual(
      [waiting.reason, waiting.passing, waiting.until],
      ["ApprovalNeeded", false, "2026-03-01T12:30:00.000Z"],
    );
    assert.equal(waiting.message, "0 of 1 approval of commit `aaaaaaa`; waits until 2026-03-01 12:30 UTC.");
    const unread = verdict({ rule: { required: 1 }, unread: "502" });
    assert.deepEqual(unread.kind === "blocked" && [unread.reason, unread.passing], ["Unreachable", true]);
    assert.equal(verdict({ rule: { required: 1 }, reviews: ["@bob"] }).kind, "present");
    // Whether it may exist at all does not wait for approvals.
    const closed = inputOf({ rule: two });
    const subject = { ...closed.subject, pullRequest: { ...closed.subject.pullRequest, state: "closed" } } as const;
    assert.equal(policy({ ...closed, ...rest, subject }).kind, "absent");
  });

  it("of a stranger needs his own approval and the rule's", () => {
    const rest = { application: { kind: "found", application }, hardStop: undefined, isolation: "apart" } as const;
    const input = inputOf({ rule: { required: 2 }, said: [`@bob ${SHA.a}`], reviews: ["@cy"] });
    const subject = { ...input.subject, pullRequest: { ...input.subject.pullRequest, fork: true } };
    const verdict = policy({ ...input, ...rest, subject });
    assert.match(verdict.kind === "blocked" ? verdict.message : "", /fork\. Nothing of commit/);
    const approved = { sha: SHA.a, by: "@bob", at: AT };
    assert.equal(policy({ ...input, ...rest, subject, intents: { ...input.intents, approved } }).kind, "present");
    const alone = { ...input.intents, approved, approvals: [] };
    const half = policy({ ...input, ...rest, subject, intents: alone });
    assert.match(half.kind === "blocked" ? half.message : "", /^1 of 2 approvals of commit `aaaaaaa`: by @cy/);
  });
});
