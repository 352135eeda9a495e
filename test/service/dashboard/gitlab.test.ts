/** Connecting GitLab from the pages, against GitLab's side of OAuth 2. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gitlabOptions } from "../../../service/forges/gitlab-options.ts";
import { createGitlabSetup } from "../../../service/gitlab-setup.ts";
import { APPLICATION, startGitlabOauth, type TestGitlabOauth } from "../../support/gitlab/gitlab-oauth.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

const HOME = "http://localhost:4000";

describe("connecting GitLab from its page", () => {
  let edge: AppEdge;
  let gitlab: TestGitlabOauth;
  let cookie: string;
  let csrf: string;
  before(async () => {
    process.env.TEST_GITLAB_PAGES = APPLICATION.secret;
    gitlab = await startGitlabOauth();
    const application = { id: APPLICATION.id, secret: { env: "TEST_GITLAB_PAGES" } };
    const options = gitlabOptions.parse({ url: gitlab.url, application });
    const forges = [
      { name: "gitlab", kind: "gitlab" as const, options },
      { name: "hub", kind: "github" as const, options: {} },
    ];
    let sealed: string | undefined;
    const store = {
      forgeCredential: async () => (sealed === undefined ? undefined : { sealed, at: "2026-03-01" }),
      changeForgeCredential: async (_forge: string, change: (before: string | undefined) => Promise<string>) => {
        sealed = await change(sealed);
      },
    };
    const setup = createGitlabSetup({ config: { forges }, store, token: TOKEN, homeUrl: HOME, now: () => new Date() });
    edge = await startApp({ gitlab: setup });
    const session = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    cookie = `stackling-4000=${session}`;
    csrf = edge.sessions.find(session)?.csrf ?? "";
  });
  after(async () => {
    await Promise.all([edge.close(), gitlab.stop()]);
    delete process.env.TEST_GITLAB_PAGES;
  });

  const get = (path: string, headers: Readonly<Record<string, string>> = { cookie }) => edge.ask({ path, headers });
  const connect = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = { cookie }) =>
    edge.ask({
      path: "/gitlab/connect",
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: String(new URLSearchParams(fields)),
    });
  const actions = () => edge.audit.entries.map(({ action, outcome }) => `${action} ${outcome}`);

  it("is begun by nobody's link, and by no form that is not of the session", async () => {
    assert.equal((await get("/gitlab/connect?forge=gitlab")).status, 404);
    assert.equal((await connect({ forge: "gitlab" })).status, 403);
    assert.equal((await connect({ forge: "gitlab", csrf: "another" })).status, 403);
    assert.equal((await connect({ forge: "gitlab", csrf }, {})).status, 403);
  });

  it("says of a forge that is none what is wrong", async () => {
    const { status, body } = await connect({ forge: "hub", csrf });
    assert.equal(status, 422);
    assert.match(body, /there is no forge &#34;hub&#34; of kind gitlab/);
  });

  it("lets its form lead to that GitLab and nowhere else, and other pages' to ourselves alone", async () => {
    const policyOf = async (path: string) => String((await get(path)).headers["content-security-policy"]);
    assert.match(await policyOf("/gitlab"), new RegExp(`form-action 'self' ${new URL(gitlab.url).origin};`));
    assert.match(await policyOf("/"), /form-action 'self';/);
  });

  it("goes there and back once, by the session that began it", async () => {
    assert.match((await get("/gitlab")).body, /Not connected yet[\s\S]*method="post" action="\/gitlab\/connect"/);
    const away = await connect({ forge: "gitlab", csrf });
    assert.equal(away.status, 303);
    const back = (await gitlab.consent(String(away.headers.location))).replace(HOME, "");
    const other = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    assert.equal((await get(back, { cookie: `stackling-4000=${other}` })).status, 422);
    assert.equal((await get(back, {})).status, 303, "a stranger is led to the login, and nothing is taken");
    assert.deepEqual(gitlab.exchanges, []);
    const done = await get(back);
    assert.deepEqual([done.status, done.headers.location], [303, "/gitlab?done=gitlab"]);
    assert.match((await get("/gitlab?done=gitlab")).body, /GitLab is connected: forges\.gitlab[\s\S]*Connect anew/);
    assert.equal((await get(back)).status, 422, "a code works once");
    assert.deepEqual(actions(), ["connect-gitlab refused", "connect-gitlab done", "connect-gitlab refused"]);
  });

  it("changes nothing where it was not allowed there, and repeats nothing of what came back", async () => {
    const refused = await get("/gitlab/connected?error=%3Cscript%3E&state=x");
    assert.equal(refused.status, 422);
    assert.match(refused.body, /it was not allowed there; nothing has changed/);
    assert.doesNotMatch(refused.body, /<script>/);
    assert.equal((await get("/gitlab/connected?code=%3Cb%3E&state=x")).status, 403);
  });
});
