import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultPullRequests } from "../../service/config/defaults.ts";
import type { PullRequestRules } from "../../service/config/repository-types.ts";
import { NO_INTENTS } from "../../service/intents.ts";
import { EXPIRY, type PolicyInput, policy, refusalOf } from "../../service/policy.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { application, SHA, shop } from "../support/reconcile-world.ts";

const NOW = "2026-03-01T12:00:00.000Z";

function judge(changes: Partial<PolicyInput> = {}, pull: Parameters<typeof pullRequest>[2] = {}): string {
  const verdict = policy({
    repository: shop,
    subject: { kind: "pullRequest", pullRequest: pullRequest(1, SHA.a, pull), defaultBranch: "main" },
    application: { kind: "found", application },
    intents: NO_INTENTS,
    isolation: "apart",
    hardStop: "2026-03-30T00:00:00.000Z",
    now: NOW,
    ...changes,
  });
  return verdict.kind === "present" ? "present" : `${verdict.kind} ${verdict.reason}`;
}

const rules = (changes: Partial<PullRequestRules>) => ({
  repository: { ...shop, pullRequests: { ...defaultPullRequests, ...changes } },
});
const changing = (paths: readonly string[] | undefined, changes: Partial<PullRequestRules>): Partial<PolicyInput> => ({
  ...rules(changes),
  subject: {
    kind: "pullRequest",
    pullRequest: pullRequest(1, SHA.a),
    defaultBranch: "main",
    ...(paths ? { changedPaths: paths } : {}),
  },
});
const removed = (headSha: string | undefined, by = "ada") => ({ ...NO_INTENTS, removed: { at: NOW, by, headSha } });
const approved = (sha: string) => ({ ...NO_INTENTS, approved: { sha, by: "@ada", at: NOW } });
const together = { isolation: "together" } as const;
const allowed = { ...together, repository: { ...shop, untrusted: { withoutIsolation: true } } };
const replaced = { kind: "replaced", message: "another" } as const;
const unreachable = { kind: "unreachable", message: "502" } as const;

describe("policy", () => {
  const table: readonly [string, string, Partial<PolicyInput>, Parameters<typeof pullRequest>[2]?][] = [
    ["present", "an open pull request of a trusted author", {}],
    ["present", "a draft", {}, { draft: true }],
    ["absent Closed", "a closed one", {}, { state: "closed" }],
    ["absent Merged", "a merged one", {}, { state: "closed", merged: true }],
    ["absent Closed", "a closed one of a fork", {}, { state: "closed", fork: true }],
    ["blocked ApprovalNeeded", "a fork", {}, { fork: true }],
    ["blocked ApprovalNeeded", "a fork's default branch", {}, { fork: true, headRef: "main" }],
    ["blocked ApprovalNeeded", "an outsider", {}, { trustedAuthor: false }],
    ["present", "a fork whose commit is approved", { intents: approved(SHA.a) }, { fork: true, trustedAuthor: false }],
    ["present", "an outsider whose commit is approved", { intents: approved(SHA.a) }, { trustedAuthor: false }],
    ["blocked ApprovalNeeded", "a fork of which another commit is", { intents: approved(SHA.b) }, { fork: true }],
    [
      "blocked Blocked",
      "an approved one under the service's own user",
      { ...together, intents: approved(SHA.a) },
      { fork: true },
    ],
    ["present", "such a one where the operator allows that", { ...allowed, intents: approved(SHA.a) }, { fork: true }],
    ["blocked ApprovalNeeded", "one that nobody approved there", allowed, { fork: true }],
    [
      "blocked Blocked",
      "an approved one where databases are shared, whatever the operator allows",
      { ...allowed, isolation: "sharing", intents: approved(SHA.a) },
      { fork: true },
    ],
    [
      "blocked Blocked",
      "an approved one on a target that nothing is known of",
      { isolation: undefined },
      { fork: true },
    ],
    [
      "blocked Blocked",
      "an approved draft where drafts get none",
      { ...rules({ drafts: false }), intents: approved(SHA.a) },
      { fork: true, draft: true },
    ],
    [
      "blocked Blocked",
      "an approved one's default branch",
      { intents: approved(SHA.a) },
      { trustedAuthor: false, headRef: "main" },
    ],
    ["blocked Blocked", "the default branch", {}, { headRef: "main" }],
    ["blocked Blocked", "a git branch no pattern names", { repository: { ...shop, branches: ["release/*"] } }],
    ["blocked NotConfigured", "a repository that left the config", { repository: undefined }],
    ["blocked Unreachable", "a forge that does not answer", { subject: unreachable }],
    ["blocked Unreachable", "a preview.yaml that cannot be read", { application: unreachable }],
    ["blocked SpecInvalid", "a broken preview.yaml", { application: { kind: "invalid", message: "no", problems: [] } }],
    ["blocked RefNotFound", "a git ref by hand that is gone", { subject: { kind: "missing", message: "no" } }],
    ["absent Removed", "one taken down", { intents: removed(SHA.a) }],
    ["absent Removed", "one taken down while the forge is away", { intents: removed(SHA.a), subject: unreachable }],
    ["present", "one pushed to after it was taken down", { intents: removed(SHA.b) }],
    ["absent Expired", "one past its hard stop", { hardStop: NOW }],
    ["absent Expired", "one that reached its hard stop before", { intents: removed(SHA.a, EXPIRY) }],
    ["present", "one that is kept", { hardStop: undefined }],
    ["absent Expired", "one that nobody used for too long", { idle: { since: NOW, until: NOW } }],
    ["present", "one whose idleness may last", { idle: { since: NOW, until: "2026-03-02T12:00:00.000Z" } }],
    [
      "blocked Unreachable",
      "an idle one while the forge is away, for it may have been pushed to",
      { idle: { since: NOW, until: NOW }, subject: unreachable },
    ],
    ["blocked Blocked", "one with the label against it", {}, { labels: ["No-Preview"] }],
    ["blocked Blocked", "a draft where drafts get none", rules({ drafts: false }), { draft: true }],
    ["blocked Blocked", "a bot's where bots get none", rules({ bots: false }), { bot: true }],
    ["blocked Blocked", "one without the label it takes", rules({ label: "preview" })],
    ["present", "one with the label it takes", rules({ label: "preview" }), { labels: ["preview"] }],
    ["blocked Blocked", "one into a git branch no base names", rules({ bases: ["main"] }), { baseRef: "feature-1" }],
    ["present", "a stacked one", {}, { baseRef: "feature-1" }],
    ["blocked Blocked", "one that changes no path", changing(["docs/a.md"], { paths: ["apps/**"] })],
    ["blocked Blocked", "one that changes what is ignored", changing(["docs/a.md"], { ignorePaths: ["docs"] })],
    ["present", "one that changes a path", changing(["docs/a.md", "apps/a.ts"], { paths: ["apps/**"] })],
    [
      "present",
      "one by hand, whatever it changes",
      { ...rules({ paths: ["apps/**"] }), subject: { kind: "commit", gitBranch: "docs", headSha: SHA.a } },
    ],
    ["blocked RepositoryReplaced", "one in whose place another repository is", { subject: replaced }],
    [
      "blocked RepositoryReplaced",
      "an idle one, for nobody knows what its own repository says",
      { idle: { since: NOW, until: NOW }, subject: replaced },
    ],
    ["absent Expired", "such a one past its hard stop", { hardStop: NOW, subject: replaced }],
    ["absent Removed", "such a one that was taken down", { intents: removed(SHA.a), subject: replaced }],
    ["present", "one that changes more than the forge names", changing(undefined, { paths: ["apps/**"] })],
    ["blocked Blocked", "one refused a moment ago", { refusedSince: NOW }, { labels: ["no-preview"] }],
    [
      "absent Refused",
      "one refused in two clean reads",
      { refusedSince: "2026-03-01T11:59:30.000Z" },
      { labels: ["no-preview"] },
    ],
    ["absent Expired", "a fork's, idle for too long", { idle: { since: NOW, until: NOW } }, { fork: true }],
  ];
  for (const [outcome, what, changes, pull] of table) {
    it(`says "${outcome}" for ${what}`, () => assert.equal(judge(changes, pull), outcome));
  }

  it("says which paths would give a preview", () => {
    const say = (changes: Partial<PullRequestRules>) =>
      refusalOf(rules(changes).repository, pullRequest(1, SHA.a), ["README.md"]);
    assert.equal(say({ paths: ["apps/**", "lib"] }), 'It changes nothing that matches "apps/**", "lib".');
    assert.equal(say({ ignorePaths: ["*.md"] }), 'It changes nothing but "*.md".');
    assert.equal(
      say({ paths: ["a", "b", "c", "d", "e", "f"], ignorePaths: ["*.md"] }),
      'It changes nothing that matches "a", "b", "c", "d", 2 more, apart from "*.md".',
    );
  });
});
