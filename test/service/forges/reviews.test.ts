import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Forge } from "../../../service/forges/forge.ts";
import { createGiteaForge } from "../../../service/forges/gitea.ts";
import { createGiteaClient } from "../../../service/forges/gitea-client.ts";
import { startGithub, type TestGithub } from "../../support/emulate.ts";
import { type Replay, startReplay } from "../../support/gitea/replay.ts";

const REPOSITORY = { name: "shop", path: "acme/shop" };
const [HEAD, OLDER] = ["a".repeat(40), "b".repeat(40)];
const PULL = { number: 7, headSha: HEAD, headRef: "feature/cart", fork: false };

describe("approving reviews on GitHub", () => {
  let github: TestGithub;
  let forge: Forge;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
  });
  after(() => github.stop());
  // One of its own, because what somebody may do is remembered for a while.
  beforeEach(async () => {
    forge = await github.connect("token");
  });

  /** `login state commit`, as `GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews` shows them. */
  const reviewsOf = (lines: readonly string[]) =>
    lines.map((line, index) => {
      const [login, state, sha] = line.split(" ");
      return {
        id: index + 1,
        user: login === "ghost" ? null : { login, type: login?.endsWith("[bot]") ? "Bot" : "User" },
        body: "",
        state,
        commit_id: sha === "none" ? null : sha,
        ...(state === "PENDING" ? {} : { submitted_at: `2026-03-01T12:00:${String(index).padStart(2, "0")}Z` }),
        author_association: "MEMBER",
      };
    });
  const approvers = async (lines: readonly string[], writers: readonly string[] = ["bob", "cy", "ci[bot]"]) => {
    const mends = [
      github.fail({ path: /\/pulls\/7\/reviews/, status: 200, body: JSON.stringify(reviewsOf(lines)) }),
      ...writers.map((login) =>
        github.fail({
          path: new RegExp(`/collaborators/${encodeURIComponent(login).replaceAll(/[[\]]/g, "\\$&")}/permission`),
          status: 200,
          body: '{"permission":"write"}',
        }),
      ),
      github.fail({ path: /\/collaborators\//, status: 200, body: '{"permission":"read"}' }),
    ];
    try {
      const read = await forge.approvals?.(REPOSITORY, PULL);
      return read?.kind === "found" ? read.approvals.map(({ login }) => login).join(" ") : read?.message;
    } finally {
      for (const mend of mends) mend();
    }
  };

  const table: readonly (readonly [what: string, reviews: readonly string[], counted: string])[] = [
    ["count for exactly that commit", [`bob APPROVED ${HEAD}`, `cy APPROVED ${OLDER}`], "bob"],
    ["count no more once they are dismissed", [`bob DISMISSED ${HEAD}`], ""],
    ["count no more once he asks for changes", [`bob APPROVED ${HEAD}`, `bob CHANGES_REQUESTED ${HEAD}`], ""],
    ["count again once he approves again", [`bob CHANGES_REQUESTED ${OLDER}`, `bob APPROVED ${HEAD}`], "bob"],
    ["stay when he only comments behind them", [`bob APPROVED ${HEAD}`, `bob COMMENTED ${HEAD}`], "bob"],
    ["count once they are sent", [`bob PENDING ${HEAD}`], ""],
    ["of who may only read do not count", [`eve APPROVED ${HEAD}`], ""],
    [
      "of bots and of accounts that are no more do not count",
      [`ci[bot] APPROVED ${HEAD}`, `ghost APPROVED ${HEAD}`],
      "",
    ],
    ["of a commit that is not named do not count", ["bob APPROVED none"], ""],
  ];
  for (const [what, lines, counted] of table) it(what, async () => assert.equal(await approvers(lines), counted));

  it("are read to the last page, and not at all when one is missing", async () => {
    const first = Array.from({ length: 100 }, () => `eve COMMENTED ${HEAD}`);
    const serve = (page: number, lines: readonly string[]) =>
      github.fail({
        path: new RegExp(`/pulls/7/reviews.*page=${page}$`),
        status: 200,
        body: JSON.stringify(reviewsOf(lines)),
      });
    const mends = [serve(1, first), github.fail({ path: /reviews.*page=2$/, status: 502 })];
    try {
      assert.equal((await forge.approvals?.(REPOSITORY, PULL))?.kind, "unreachable");
      mends[1]?.();
      mends.push(serve(2, [`bob APPROVED ${HEAD}`]));
      mends.push(github.fail({ path: /\/permission$/, status: 200, body: '{"permission":"admin"}' }));
      const read = await forge.approvals?.(REPOSITORY, PULL);
      const approvals = [{ login: "bob", at: "2026-03-01T12:00:00.000Z" }];
      assert.deepEqual(read, { kind: "found", approvals, madeBy: [] });
    } finally {
      for (const mend of mends) mend();
    }
  });

  it("come with who wrote that commit and who pushed it, whoever the commit says it is of", async () => {
    const none = github.fail({ path: /\/reviews/, status: 200, body: "[]" });
    const madeBy = async (pull: typeof PULL, ...mends: readonly (() => void)[]) => {
      try {
        const read = await forge.approvals?.(REPOSITORY, pull);
        return read?.kind === "found" ? read.madeBy : read?.kind;
      } finally {
        for (const mend of mends) mend();
      }
    };
    const commit = (status: number, author: unknown, committer: unknown = { login: "web-flow" }) =>
      github.fail({ path: /\/commits\/a{40}$/, status, body: JSON.stringify({ sha: HEAD, author, committer }) });
    const pushes = (status: number, ...shown: readonly (readonly [sha: string, login: string])[]) =>
      github.fail({
        path: /\/activity\?ref=refs%2Fheads%2Ffeature%2Fcart&/,
        status,
        body: JSON.stringify(shown.map(([after, login]) => ({ after, actor: { login }, activity_type: "push" }))),
      });
    const both = [commit(200, { login: "ada" }), pushes(200, [HEAD, "bob"], [OLDER, "cy"])];
    assert.deepEqual(await madeBy(PULL, ...both), ["ada", "bob"]);
    const fork = [commit(200, null), pushes(200, [HEAD, "bob"])];
    assert.deepEqual(await madeBy({ ...PULL, fork: true }, ...fork), [], "what is pushed to a fork is not told here");
    assert.deepEqual(await madeBy(PULL, commit(200, { login: "ada" }), pushes(404)), ["ada"], "an older server");
    assert.equal(await madeBy(PULL, commit(502, null), pushes(200)), "unreachable");
    none();
  });

  it("say nothing when the server does not tell what a reviewer may do", async () => {
    const reviews = github.fail({
      path: /\/reviews/,
      status: 200,
      body: JSON.stringify(reviewsOf([`bob APPROVED ${HEAD}`])),
    });
    const outage = github.fail({ path: /\/permission$/, status: 503 });
    try {
      assert.equal((await forge.approvals?.(REPOSITORY, PULL))?.kind, "unreachable");
    } finally {
      reviews();
      outage();
    }
  });

  /** As `GET /repos/{owner}/{repo}/environments/{environment_name}` shows it. */
  const environment = {
    id: 161171787,
    name: "preview/eu",
    protection_rules: [
      { id: 3736, type: "wait_timer", wait_timer: 30 },
      {
        id: 3755,
        type: "required_reviewers",
        prevent_self_review: true,
        reviewers: [
          { type: "User", reviewer: { login: "bob", id: 1, type: "User" } },
          { type: "Team", reviewer: { id: 1, slug: "justice-league", name: "Justice League" } },
        ],
      },
      { id: 3756, type: "branch_policy" },
    ],
    deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
  };
  const ruleOf = async (body: unknown) => {
    const mends = [
      github.fail({ path: /\/environments\/preview%2Feu$/, status: 200, body: JSON.stringify(body) }),
      github.fail({
        path: /^\/orgs\/acme\/teams\/justice-league\/members\?per_page=100&page=1$/,
        status: 200,
        body: '[{"login":"cy"},{"login":"dan"}]',
      }),
    ];
    try {
      return await forge.environmentRule?.(REPOSITORY, "preview/eu");
    } finally {
      for (const mend of mends) mend();
    }
  };

  it("are joined by an environment's reviewers, its teams' members and its wait", async () => {
    const rule = { reviewers: ["@bob", "@cy", "@dan"], own: false, waitSeconds: 1800 };
    assert.deepEqual(await ruleOf(environment), { kind: "found", rule });
    const open = { ...environment, protection_rules: [{ id: 1, type: "branch_policy" }] };
    assert.deepEqual(await ruleOf(open), { kind: "found", rule: { own: true, waitSeconds: 0 } });
  });

  it("are not taken for enough where an environment or a team cannot be read whole", async () => {
    const read = async (fault: Parameters<TestGithub["fail"]>[0]) => {
      const mends = [
        github.fail(fault),
        github.fail({ path: /\/environments\//, status: 200, body: JSON.stringify(environment) }),
      ];
      try {
        const found = await forge.environmentRule?.(REPOSITORY, "preview");
        return found?.kind === "unreachable" ? found.message : "found";
      } finally {
        for (const mend of mends) mend();
      }
    };
    const none = await read({ path: /\/environments\//, status: 404 });
    assert.equal(
      none,
      'reading the environment "preview" of "acme/shop": there is none, or it may not be read (an App needs the permission Actions: read)',
    );
    assert.match(await read({ path: /\/teams\//, status: 403 }), /the team "justice-league".*Members: read/);
    assert.match(await read({ path: /\/environments\//, status: 502 }), /502/);
    const odd = { protection_rules: [{ id: 1, type: "required_reviewers" }] };
    assert.match(await read({ path: /\/environments\//, status: 200, body: JSON.stringify(odd) }), /not GitHub's/);
  });
});

describe("approving reviews on Gitea", () => {
  let server: Replay;
  let forge: Forge;
  before(async () => {
    server = await startReplay();
    const hook = { webhookUrl: undefined, serverUrl: server.url, secrets: [], make: false };
    forge = createGiteaForge(
      { client: createGiteaClient({ url: server.url, token: "t" }) },
      { token: "t", cloneUrl: `${server.url}/{path}.git`, bots: new Set(["renovate"]), hook },
    );
  });
  after(() => server.stop());

  /** As Gitea 1.26 shows one (`modules/structs/pull_review.go`). */
  const review = (login: string, state: string, sha: string, more: Readonly<Record<string, unknown>> = {}) => ({
    id: 1,
    user: { id: 5, login },
    team: null,
    state,
    body: "",
    commit_id: sha,
    stale: sha !== HEAD,
    official: true,
    dismissed: false,
    submitted_at: "2026-03-01T12:00:00Z",
    ...more,
  });
  const approvers = async (reviews: readonly unknown[]) => {
    server.answer(/^GET \/pulls\/7\/reviews\?.*page=1$/, {
      body: JSON.stringify(reviews),
      headers: { "x-total-count": String(reviews.length) },
    });
    server.answer(/\/permission$/, { body: '{"permission":"read"}' });
    const made = { sha: HEAD, author: { id: 7, login: "ada" }, committer: null };
    server.answer(/^GET \/git\/commits\/a{40}\?/, { body: JSON.stringify(made) });
    for (const writer of ["bob", "renovate"]) {
      server.answer(new RegExp(`collaborators/${writer}/permission$`), { body: '{"permission":"write"}' });
    }
    const read = await forge.approvals?.(REPOSITORY, PULL);
    return read?.kind === "found" ? read.approvals.map(({ login }) => login).join(" ") : read?.message;
  };

  it("count for exactly that commit, by people who may write and have not said otherwise", async () => {
    assert.equal(await approvers([review("bob", "APPROVED", HEAD)]), "bob");
    assert.equal(await approvers([review("bob", "APPROVED", OLDER)]), "");
    assert.equal(await approvers([review("bob", "APPROVED", HEAD, { dismissed: true })]), "");
    assert.equal(await approvers([review("bob", "APPROVED", HEAD), review("bob", "REQUEST_CHANGES", HEAD)]), "");
    assert.equal(await approvers([review("bob", "APPROVED", HEAD), review("bob", "COMMENT", HEAD)]), "bob");
    assert.equal(await approvers([review("eve", "APPROVED", HEAD), review("renovate", "APPROVED", HEAD)]), "");
    assert.equal(await approvers([review("bob", "REQUEST_REVIEW", HEAD, { user: null })]), "");
  });

  it("come with who wrote that commit", async () => {
    await approvers([]);
    const read = await forge.approvals?.(REPOSITORY, PULL);
    assert.deepEqual(read, { kind: "found", approvals: [], madeBy: ["ada"] });
  });

  it("say nothing when they cannot be read", async () => {
    server.answer(/^GET \/pulls\/7\/reviews/, { status: 502 });
    assert.equal((await forge.approvals?.(REPOSITORY, PULL))?.kind, "unreachable");
  });
});
