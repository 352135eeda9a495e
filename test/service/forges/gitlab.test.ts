/** What of GitLab differs from other forges, on the contract server. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import type { Announcement, AnnouncementHandles, Forge } from "../../../service/forges/forge.ts";
import { GITLAB_TOKEN, startGitlab, type TestGitlab } from "../../support/gitlab/gitlab-server.ts";

const files = { "preview.yaml": "services: {}\n" };

describe("GitLab", () => {
  let server: TestGitlab;
  let forge: Forge;
  const repository = () => ({ name: "shop", path: server.path });

  beforeEach(async () => {
    server = await startGitlab({ files });
    forge = await server.connect();
  });
  afterEach(() => server.stop());

  const open = () => server.open({ gitBranch: "change", files: { "a.txt": "a\n" } });
  const read = async (number: number) => {
    const found = await forge.read(repository(), number);
    assert.ok(found.kind === "found", JSON.stringify(found));
    return found.pullRequest;
  };
  const announcement = (headSha: string, change: Partial<Announcement> = {}): Announcement => ({
    key: "shop#1",
    condition: "Ready",
    reason: "Healthy",
    summary: "Is live",
    comment: "<!-- stackling:shop#1 -->\nIs live",
    headSha,
    environmentUrl: "https://pr-1-shop.preview.test",
    logUrl: "https://preview.test/previews/shop%231",
    ...change,
  });
  const say = (
    pull: { number: number; headSha: string },
    change: Partial<Announcement>,
    handles: AnnouncementHandles,
  ) => forge.announce(repository(), pull, announcement(pull.headSha, change), handles);

  it("leads to the merge request's own pages", async () => {
    const { number, headSha } = await open();
    const { url, commitUrl, reviewUrl } = await read(number);
    const project = `${server.url}/acme/web/shop`;
    assert.equal(url, `${project}/-/merge_requests/1`);
    assert.equal(commitUrl?.replace("{sha}", headSha), `${project}/-/commit/${headSha}`);
    assert.equal(reviewUrl?.replace("{sha}", headSha), `${project}/-/merge_requests/1/diffs?commit_id=${headSha}`);
  });

  it("reads in the description what it is to be previewed with", async () => {
    const { number } = await open();
    const merge = server.project.merges.get(number);
    assert.ok(merge);
    assert.equal((await read(number)).previewWith, undefined);
    merge.description = "A cart.\n\nPreview-With: acme/web/api!7\n";
    assert.deepEqual((await read(number)).previewWith, ["acme/web/api!7"]);
  });

  it("counts a merge request as open until it is merged", async () => {
    const { number } = await open();
    const merge = server.project.merges.get(number);
    assert.ok(merge);
    const states = [];
    for (const state of ["opened", "locked", "merged", "closed"] as const) {
      merge.state = state;
      const found = await read(number);
      states.push([found.state, found.merged, found.mergedAt]);
    }
    assert.deepEqual(states, [
      ["open", false, undefined],
      ["open", false, undefined],
      ["closed", true, "2026-11-22T05:46:40.000Z"],
      ["closed", false, undefined],
    ]);
  });

  it("trusts members with the role Developer, and nobody below", async () => {
    const trusted = [];
    for (const by of ["ada", "guest", "mallory"] as const) {
      const { number } = await server.open({ gitBranch: `by-${by}`, files: { [`${by}.txt`]: by }, by });
      trusted.push((await read(number)).trustedAuthor);
    }
    assert.deepEqual(trusted, [true, false, false]);
  });

  it("trusts nobody while members cannot be read", async () => {
    const { number } = await open();
    server.instead = (what) => (what.includes("/members/") ? { status: 403, body: {} } : undefined);
    assert.equal((await read(number)).trustedAuthor, false);
  });

  it("reads every page of a long list", async () => {
    const { headSha, number } = await open();
    const first = server.project.merges.get(number);
    assert.ok(first);
    for (let iid = 2; iid <= 130; iid++) server.project.merges.set(iid, { ...first, iid });
    const list = await forge.list(repository());
    assert.ok(list.kind === "found");
    assert.deepEqual([list.pullRequests.length, list.pullRequests.at(-1)?.headSha], [130, headSha]);
  });

  it("says that there are too many files where GitLab shows only some", async () => {
    const { number, headSha } = await open();
    const pull = await read(number);
    Object.assign(server.project.merges.get(number) ?? {}, { changesCount: "1000+" });
    assert.deepEqual(await forge.changedPaths?.(repository(), { ...pull, headSha }), { kind: "tooMany" });
  });

  it("writes one note, a status, and an environment with its link; each once", async () => {
    const pull = await open();
    const building = { condition: "Reconciling", reason: "Provisioning", environmentUrl: undefined } as const;
    const first = await say(pull, building, {});
    const second = await say(pull, {}, first);
    const asked = server.asked.length;
    assert.deepEqual(await say(pull, {}, second), second);
    assert.equal(server.asked.length, asked, "nothing new is said twice");
    const { notes, statuses, deployments, environments } = server.project;
    assert.deepEqual(
      notes.map(({ body }) => body),
      ["<!-- stackling:shop#1 -->\nIs live"],
    );
    assert.deepEqual(
      statuses.map(({ name, state, target_url }) => [name, state, target_url]),
      [
        ["stackling/shop", "running", "https://preview.test/previews/shop%231"],
        ["stackling/shop", "success", "https://pr-1-shop.preview.test"],
      ],
    );
    assert.deepEqual(
      deployments.map(({ sha, status }) => [sha, status]),
      [[pull.headSha, "success"]],
    );
    const [environment] = environments;
    assert.deepEqual(
      [environment?.name, environment?.state, environment?.external_url],
      ["preview/shop-1", "available", "https://pr-1-shop.preview.test"],
    );
  });

  it("finds its note again behind hundreds of others", async () => {
    const pull = await open();
    const note = { iid: pull.number, body: "Looks good", by: "ada", createdAt: new Date().toISOString() } as const;
    for (let id = 1; id <= 230; id++) server.project.notes.push({ ...note, id, system: id % 2 === 0, emoji: [] });
    await say(pull, {}, {});
    await say(pull, { comment: "<!-- stackling:shop#1 -->\nIs asleep" }, {});
    assert.deepEqual(
      server.project.notes.flatMap(({ by, body }) => (by === "stackling" ? [body] : [])),
      ["<!-- stackling:shop#1 -->\nIs asleep"],
    );
  });

  it("makes a deployment for each commit, and stops the environment at the end", async () => {
    const pull = await open();
    const first = await say(pull, {}, {});
    const headSha = await server.push(pull.number, { "a.txt": "b\n" });
    const second = await say({ ...pull, headSha }, {}, first);
    const last = await say(
      { ...pull, headSha },
      { condition: "Gone", reason: "Gone", environmentUrl: undefined },
      second,
    );
    const { deployments, environments, statuses } = server.project;
    assert.deepEqual(
      deployments.map(({ sha }) => sha),
      [pull.headSha, headSha],
    );
    assert.deepEqual(
      environments.map(({ state }) => state),
      ["stopped"],
    );
    assert.equal(statuses.at(-1)?.state, "canceled");
    assert.equal(last.deployment, undefined);
  });

  it("keeps a deployment a success while its preview sleeps, wakes or is built again", async () => {
    const pull = await open();
    const first = await say(pull, {}, {});
    await say(pull, { condition: "Reconciling", reason: "Updating" }, first);
    assert.deepEqual(
      server.project.deployments.map(({ status }) => status),
      ["success"],
    );
  });

  it("says of a stage on its commit, in an environment of the stage's own", async () => {
    const headSha = await server.source.head("main");
    const stage = { name: "production", production: true };
    const said = announcement(headSha, { key: "shop:production", stage });
    await forge.announceStage?.(repository(), said, {});
    const { notes, statuses, environments } = server.project;
    assert.deepEqual(
      [notes, statuses.map(({ name, state }) => [name, state])],
      [[], [["stackling/shop/production", "success"]]],
    );
    assert.deepEqual(
      environments.map(({ name, tier }) => [name, tier]),
      [["production", "production"]],
    );
  });

  it("asks for no deployments again where the token may not make them", async () => {
    const pull = await open();
    server.instead = (what) =>
      what.startsWith("POST") && what.endsWith("/deployments") ? { status: 403, body: {} } : undefined;
    const first = await say(pull, {}, {});
    assert.equal(first.deployments, "unsupported");
    await say(pull, { reason: "Asleep" }, first);
    assert.equal(server.asked.filter((what) => what.endsWith("/deployments")).length, 1);
  });

  it("reads notes since a time from the newest back, and no further", async () => {
    const { number } = await open();
    for (let count = 0; count < 250; count++) {
      const at = new Date(Date.UTC(2026, 0, 1) + count * 60_000).toISOString();
      server.project.notes.push({
        id: count + 1,
        iid: number,
        body: `${count}`,
        by: "ada",
        system: count % 50 === 0,
        createdAt: at,
        emoji: [],
      });
    }
    const asked = server.asked.length;
    const found = await forge.commands?.comments(repository(), number, { since: "2026-01-01T04:00:00.000Z", after: 0 });
    assert.ok(found?.kind === "found");
    assert.deepEqual([found.comments.length, found.comments[0]?.body, found.last?.id], [10, "240", 250]);
    assert.equal(server.asked.length - asked, 1);
  });

  it("reads no note on a line of code, and passes it by", async () => {
    const { number } = await open();
    const at = "2026-01-01T05:00:00.000Z";
    const note = { iid: number, by: "ada", system: false, createdAt: at, emoji: [] } as const;
    server.project.notes.push(
      { ...note, id: 1, body: "/preview sleep", type: "DiscussionNote", emoji: [] },
      { ...note, id: 2, body: "/preview down", type: "DiffNote", emoji: [] },
    );
    const found = await forge.commands?.comments(repository(), number, { since: at, after: 0 });
    assert.ok(found?.kind === "found");
    assert.deepEqual([found.comments.map(({ body }) => body), found.last?.id], [["/preview sleep"], 2]);
  });

  it("makes its webhook with the secret, once, and says how it stands", async () => {
    process.env.TEST_GITLAB_SECRET = "the token";
    const { gitlabForge } = await import("../../../service/forges/gitlab.ts");
    const typed = {
      url: server.url,
      token: { env: "TEST_GITLAB_TOKEN" },
      webhookSecrets: [{ env: "TEST_GITLAB_SECRET" }],
    };
    const ground = {
      name: "gitlab",
      homeUrl: "http://127.0.0.1:4000",
      kept: async () => undefined,
      change: async () => {},
    };
    const called = await gitlabForge.connect(gitlabForge.options.parse(typed), ground);
    const made = await called.ensureWebhook?.(repository());
    const again = await called.ensureWebhook?.(repository());
    assert.deepEqual([made?.ok, again?.ok, server.project.hooks.length], [true, true, 1]);
    const [hook] = server.project.hooks;
    assert.deepEqual([hook?.url, hook?.token], ["http://127.0.0.1:4000/webhooks/gitlab", "the token"]);
    assert.ok(!JSON.stringify([made, again]).includes("the token"));
    Object.assign(hook ?? {}, { alert_status: "disabled" });
    const findings = (await called.check?.(repository())) ?? [];
    assert.match(findings.find(({ ok }) => !ok)?.what ?? "", /GitLab has switched it off/);
  });

  it("tells doctor of server, project, rights and account", async () => {
    const findings = (await forge.check?.(repository())) ?? [];
    assert.deepEqual(
      findings.map(({ ok, what }) => [ok, what.replace(server.url, "URL")]),
      [
        [true, "URL is GitLab 17.11.1-ee"],
        [true, 'repository "acme/web/shop" is reachable, default branch "main"'],
        [true, 'the token may do what is needed in "acme/web/shop"'],
        [true, 'notes are written as "stackling"'],
        [true, 'merge requests of "acme/web/shop" are found by the resync alone: there are no `webhookSecrets`'],
      ],
    );
  });

  it("lets git ask as GitLab wants it, and at this server alone", async () => {
    const cloned = await server.connect({ cloneUrl: "https://git.acme.dev/{path}.git" });
    const { url, environment, refs } = await cloned.clonePoint(repository(), { number: 7, headSha: "0".repeat(40) });
    assert.deepEqual([url, refs], ["https://git.acme.dev/acme/web/shop.git", ["refs/merge-requests/7/head"]]);
    const ask = async (question: string) =>
      (await execa(environment.GIT_ASKPASS ?? "", [question], { env: environment, reject: false })).stdout;
    assert.equal(await ask("Username for 'https://git.acme.dev': "), "oauth2");
    assert.equal(await ask("Password for 'https://oauth2@git.acme.dev': "), GITLAB_TOKEN);
    assert.equal(await ask("Password for 'https://oauth2@evil.test': "), "");
  });

  it("tells no word of a stranger's server, and not the token", async () => {
    server.instead = () => ({ status: 401, body: { message: "glpat-test is wrong <script>" } });
    const found = await forge.read(repository(), 1);
    assert.deepEqual(found, {
      kind: "unreachable",
      message: 'reading merge request 1 of "acme/web/shop": GitLab answered 401 (the token is not accepted)',
    });
  });
});
