/** GitLab as an OAuth application: connected from the pages, its token renewed in time by one replica for all. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { credentialsFor } from "../../service/forge-credentials.ts";
import { grantedToken } from "../../service/forges/gitlab-grant.ts";
import { gitlabOptions } from "../../service/forges/gitlab-options.ts";
import { createGitlabSetup } from "../../service/gitlab-setup.ts";
import type { Session } from "../../service/session.ts";
import { openStore, type PostgresStore } from "../../service/store/postgres.ts";
import { APPLICATION, startGitlabOauth, type TestGitlabOauth } from "../support/gitlab/gitlab-oauth.ts";
import { testDatabase } from "../support/postgres.ts";
import { silent } from "../support/reconcile-world.ts";

const HOME = "https://preview.acme.dev";
const TOKEN = "the API's token";
const SESSION: Session = { csrf: "one session", name: "page", role: "admin" };
const OTHER: Session = { ...SESSION, csrf: "another session" };

describe("GitLab as an OAuth application", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let stores: PostgresStore[];
  let gitlab: TestGitlabOauth;
  let now: Date;

  before(async () => {
    process.env.TEST_GITLAB_APPLICATION = APPLICATION.secret;
  });
  beforeEach(async () => {
    [database, gitlab] = await Promise.all([testDatabase(), startGitlabOauth()]);
    const open = (holder: string) =>
      openStore({ url: database.url, holder, logger: silent, now: () => now.toISOString() });
    now = new Date("2026-03-01T12:00:00Z");
    stores = [await open("one"), await open("two")];
  });
  afterEach(async () => {
    await Promise.all([...stores.map((store) => store.close()), gitlab.stop()]);
    await database.drop();
  });
  after(() => delete process.env.TEST_GITLAB_APPLICATION);

  const storeOf = (replica: number) => stores[replica] ?? assert.fail();
  const setupAt = (replica = 0, url = gitlab.url) => {
    const application = { id: APPLICATION.id, secret: { env: "TEST_GITLAB_APPLICATION" } };
    const options = gitlabOptions.parse({ url, application });
    return createGitlabSetup({
      config: { forges: [{ name: "gitlab", kind: "gitlab", options }] },
      store: storeOf(replica),
      token: TOKEN,
      homeUrl: HOME,
      now: () => now,
    });
  };
  const tokenAt = (replica = 0, url = gitlab.url) => {
    const ground = { ...credentialsFor({ store: storeOf(replica), token: TOKEN }, "gitlab"), homeUrl: HOME };
    return grantedToken({ url, ...APPLICATION }, ground, () => now);
  };
  const comeBack = async (setup = setupAt(), session = SESSION) => {
    const { searchParams } = new URL(await gitlab.consent(await setup.begin("gitlab", session)));
    return { code: searchParams.get("code") ?? "", state: searchParams.get("state") ?? "" };
  };
  const connect = async () => setupAt().finish(await comeBack(), SESSION);
  const pass = (minutes: number) => {
    now = new Date(now.getTime() + minutes * 60_000);
  };

  it("is used by every replica as soon as somebody said yes", async () => {
    await assert.rejects(tokenAt()(), /it is not connected yet.* at https:\/\/preview.acme.dev\/gitlab$/);
    assert.deepEqual(
      (await setupAt().connections()).map(({ isConnected }) => isConnected),
      [false],
    );
    await connect();
    assert.deepEqual(
      (await setupAt(1).connections()).map(({ isConnected }) => isConnected),
      [true],
    );
    assert.ok(gitlab.good.has(await tokenAt(1)()));
  });

  it("lies sealed in the store", async () => {
    await connect();
    const kept = await storeOf(0).forgeCredential("gitlab");
    const [token = ""] = gitlab.good;
    assert.ok(kept && !Buffer.from(kept.sealed, "base64").includes(token));
  });

  it("asks again only when its token is about to end, and once for all replicas", async () => {
    await connect();
    const tokens = [tokenAt(0), tokenAt(1)];
    await Promise.all(tokens.map((token) => token()));
    pass(100);
    await Promise.all(tokens.map((token) => token()));
    assert.deepEqual(gitlab.exchanges, ["authorization_code"]);
    pass(16);
    const renewed = await Promise.all([...tokens, ...tokens].map((token) => token()));
    assert.deepEqual(gitlab.exchanges, ["authorization_code", "refresh_token"]);
    assert.deepEqual(new Set(renewed), new Set(gitlab.good));
    pass(120);
    await Promise.all(tokens.map((token) => token()));
    assert.equal(gitlab.exchanges.length, 3);
  });

  it("keeps what it had while GitLab does not answer, and goes on when it does", async () => {
    await connect();
    const token = tokenAt();
    pass(116);
    gitlab.instead = { status: 502, body: "bad gateway" };
    await assert.rejects(token(), { reason: "Unreachable" });
    gitlab.instead = undefined;
    assert.ok(gitlab.good.has(await token()));
  });

  it("says what to do when GitLab takes the grant no more, and repeats no word of its", async () => {
    await connect();
    const token = tokenAt();
    pass(116);
    gitlab.instead = { status: 400, body: '{"error":"invalid_grant","error_description":"<script>"}' };
    await assert.rejects(token(), (error: Error & { userMessage?: string }) => {
      assert.match(error.userMessage ?? "", /refused; connect it anew/);
      assert.ok(!error.userMessage?.includes("script"));
      return true;
    });
  });

  it("is connected by the session that began it and no other, within its time", async () => {
    await assert.rejects(setupAt().finish(await comeBack(), OTHER), /does not belong to this session/);
    const sent = await comeBack();
    await assert.rejects(setupAt().finish({ ...sent, state: `${sent.state}x` }, SESSION), /does not belong/);
    pass(16);
    await assert.rejects(setupAt().finish(sent, SESSION), /older than 15 minutes/);
    assert.deepEqual(gitlab.exchanges, []);
  });

  it("takes a code once", async () => {
    const sent = await comeBack();
    await setupAt().finish(sent, SESSION);
    await assert.rejects(setupAt().finish(sent, SESSION), { reason: "GrantRefused" });
    assert.ok(gitlab.good.has(await tokenAt()()));
  });

  it("is not asked for at another server than it was connected at", async () => {
    await connect();
    await assert.rejects(tokenAt(0, "https://gitlab.acme.dev")(), /was connected at "http:\/\/127.* connect it anew/);
    assert.deepEqual(
      (await setupAt(0, "https://gitlab.acme.dev").connections()).map(({ isConnected }) => isConnected),
      [false],
    );
  });

  it("is begun for no forge that is none", async () => {
    await assert.rejects(setupAt().begin("github", SESSION), /there is no forge "github" of kind gitlab/);
  });

  it("is either an application or a token", () => {
    const both = { token: { env: "A" }, application: { id: "a", secret: { env: "B" } } };
    for (const given of [both, {}]) assert.throws(() => gitlabOptions.parse(given), /needs `token` or `application`/);
  });
});
