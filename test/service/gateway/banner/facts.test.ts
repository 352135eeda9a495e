import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PreviewView, previewView } from "../../../../service/api/preview-view.ts";
import { bannerFacts } from "../../../../service/gateway/banner/facts.ts";
import { aPreview, COMMIT } from "../../../support/previews.ts";
import { URLS } from "../edge.ts";

const NEWER = "fedcba9876543210fedcba9876543210fedcba98";

function factsOf(changes: Partial<PreviewView> = {}, url = URLS.web) {
  const view = { ...previewView(aPreview({ urls: URLS })), ...changes };
  return bannerFacts({ view, url, homeUrl: "https://preview.acme.dev" });
}

describe("what the banner says", () => {
  it("is how to log out where the preview has a door, and only there", () => {
    const view = previewView(aPreview({ urls: URLS }));
    const linksOf = (hasDoor: boolean) =>
      bannerFacts({ view, url: URLS.web, homeUrl: "https://preview.acme.dev", hasDoor }).links;
    assert.deepEqual(linksOf(true).at(-1), { name: "Log out", url: "/.stackling/logout" });
    assert.ok(!linksOf(false).some(({ name }) => name === "Log out"));
  });

  const notices: readonly (readonly [string, Partial<PreviewView>, (readonly [tone: string, text: RegExp])?])[] = [
    ["nothing of what is as it should be", {}],
    ["nothing of a warning of its end", { stage: "Idle" }],
    ["that it is gone", { stage: "Gone", awake: false, condition: "Stalled" }, ["bad", /gone/]],
    ["that it is being removed", { stage: "Closed", condition: "Reconciling" }, ["bad", /being removed/]],
    ["that it sleeps", { stage: "Asleep", awake: false }, ["still", /Reload the page to wake it/]],
    [
      "that a newer commit is built",
      { condition: "Reconciling", reason: "Updating", headSha: NEWER },
      ["busy", /Commit fedcba9 is newer and is being built/],
    ],
    [
      "that a newer commit waits",
      { condition: "Reconciling", reason: "Queued", headSha: NEWER },
      ["busy", /fedcba9 is newer and waits for its turn/],
    ],
    ["that an older commit serves", { headSha: NEWER }, ["still", /fedcba9 is newer, but this one was chosen/]],
    ["that it is updated", { condition: "Reconciling", reason: "Updating", headSha: COMMIT }, ["busy", /An update is/]],
    [
      "that a newer commit failed",
      { condition: "Stalled", reason: "BuildFailed", headSha: NEWER },
      ["bad", /fedcba9 is newer, but did not come up\. The version before it goes on serving/],
    ],
    ["that an update failed", { condition: "Stalled", reason: "SeedFailed", headSha: COMMIT }, ["bad", /did not work/]],
    [
      "that a newer commit is not approved",
      { condition: "Stalled", reason: "ApprovalNeeded", headSha: NEWER, awaitsApproval: NEWER },
      ["still", /fedcba9 is newer and waits for approval/],
    ],
  ];
  for (const [what, changes, said] of notices) {
    it(`says ${what}`, () => {
      const { notice } = factsOf(changes);
      assert.equal(notice?.tone, said?.[0]);
      assert.match(notice?.text ?? "", said?.[1] ?? /^$/);
    });
  }

  it("names pull request, commit and database with its scenario", () => {
    const { key, title, commit, database } = factsOf({
      database: "shop_pr_42",
      scenario: "team",
      commitUrl: `https://github.com/acme/shop/commit/${COMMIT}`,
    });
    assert.deepEqual([key, title], ["shop#42", "Show the cart total"]);
    assert.deepEqual(commit, { short: "0123456", url: `https://github.com/acme/shop/commit/${COMMIT}` });
    assert.deepEqual(database, { branch: "shop_pr_42", scenario: "team" });
    assert.equal(factsOf({ commitUrl: undefined }).commit?.url, undefined);
  });

  it("leads to pull request, logs, inboxes, status and, where there is a database, its reset on our own page", () => {
    const links = factsOf({ database: "x", inboxes: [{ name: "mail", url: "http://mail.example/" }] }).links;
    const page = "https://preview.acme.dev/previews/shop%2342";
    assert.deepEqual(
      links.map(({ name, url }) => `${name} ${url}`),
      [
        "Pull request https://forge.example/acme/shop/pull/42",
        `Logs ${page}#log`,
        "Inbox: mail http://mail.example/",
        `Status ${page}`,
        `Reset database ${page}#do-reset-db`,
      ],
    );
    const names = (changes: Partial<PreviewView>) => factsOf(changes).links.map(({ name }) => name);
    assert.deepEqual(names({ pullRequestUrl: undefined }), ["Logs", "Status"]);
    assert.ok(!names({ database: "x", stage: "Closed" }).includes("Reset database"));
  });

  it("offers the users of the seeds where they log in, and a page for the rest of many", () => {
    const login = { users: [{ name: "a b&c", title: "Ada" }] };
    assert.deepEqual(factsOf({ login }).users, [{ title: "Ada", url: "/.stackling/login?as=a+b%26c" }]);
    assert.deepEqual(factsOf({ login }, "http://pr-42-api-shop.localhost:4000").users, [
      { title: "Ada", url: `${URLS.web}/.stackling/login?as=a+b%26c` },
    ]);
    assert.deepEqual(factsOf({ login, stage: "Gone" }).users, []);
    const many = Array.from({ length: 9 }, (_, index) => ({ name: `u${index}`, title: `User ${index}` }));
    const { users } = factsOf({ login: { users: many } });
    assert.deepEqual([users.length, users.at(-1)], [7, { title: "all 9", url: "/.stackling/login" }]);
  });

  it("says plainly what is not trusted and what is not held back", () => {
    assert.deepEqual(factsOf().remarks, []);
    assert.deepEqual(factsOf({ egress: "enforced" }).remarks, []);
    const [trust, egress] = factsOf({ untrusted: { isolated: false }, egress: "advisory" }).remarks;
    assert.match(trust ?? "", /^Not trusted.* not kept apart/);
    assert.match(egress ?? "", /^Egress advisory/);
    assert.doesNotMatch(factsOf({ untrusted: { isolated: true } }).remarks[0] ?? "", /kept apart/);
  });

  it("has a code for phones, unless they could not get there", () => {
    const { code } = factsOf({}, "https://pr-42-shop.preview.acme.dev");
    assert.ok(code && code.size >= 29);
    assert.match(code.path, /^M4 4h7v1h-7zM/);
    assert.equal(factsOf().code, undefined);
  });

  it("tells no secret, no excerpt and no comment of what it knows", () => {
    const text = JSON.stringify(factsOf({ excerpt: ["s3cret"], comment: "s3cret", message: "s3cret" }));
    assert.doesNotMatch(text, /s3cret/);
  });
});
