/** An App that is made from the pages: what goes to GitHub, what comes back, and that it works at once. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { credentialsFor } from "../../service/forge-credentials.ts";
import { githubForge } from "../../service/forges/github.ts";
import { canReach, manifestOf, registrationUrl, webUrl } from "../../service/forges/github-app.ts";
import { createGithubSetup } from "../../service/github-setup.ts";
import { sayPolling } from "../../service/polling.ts";
import { signedHeaders, startGithub, type TestGithub } from "../support/emulate.ts";

const HOME = "https://preview.acme.dev";
const SESSION = { csrf: "the session's own value", name: "page", role: "admin" } as const;
const SHOP = { name: "shop", path: "acme/shop" };

describe("a GitHub App made from the pages", () => {
  let github: TestGithub;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
  });
  after(() => github.stop());

  const prepare = ({ homeUrl = HOME, token = "the API's token" } = {}) => {
    const kept = new Map<string, { sealed: string; at: string }>();
    const store = {
      forgeCredential: async (forge: string) => kept.get(forge),
      keepForgeCredential: async (forge: string, sealed: string) => void kept.set(forge, { sealed, at: "2026-03-01" }),
      changeForgeCredential: async () => {},
    };
    const options = githubForge.options.parse({
      baseUrl: `${github.url}/api/v3`,
      cloneUrl: github.cloneUrl,
      app: "manifest",
      rateLimits: false,
    });
    let now = new Date("2026-03-01T12:00:00Z");
    const setup = createGithubSetup({
      config: { forges: [{ name: "github", kind: "github", options }], repositories: [] },
      store,
      token,
      homeUrl,
      now: () => now,
    });
    return {
      setup,
      kept,
      connect: () =>
        githubForge.connect(options, { name: "github", homeUrl, ...credentialsFor({ store, token }, "github") }),
      pass: (ms: number) => {
        now = new Date(now.getTime() + ms);
      },
    };
  };
  /** What a person does at GitHub. */
  const register = async (form: { action: string; manifest: string }) => {
    const body = new URLSearchParams({ manifest: form.manifest, confirmed: "yes" });
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    assert.equal(answer.status, 302, await answer.text());
    const { searchParams } = new URL(answer.headers.get("location") ?? "");
    return { code: searchParams.get("code") ?? "", state: searchParams.get("state") ?? "" };
  };

  it("reads, writes and takes deliveries as soon as it is there, without a restart", async () => {
    const { setup, kept, connect } = prepare();
    const forge = await connect();
    const { number } = await github.open({ gitBranch: "at-once", files: { "a.txt": "a" } });
    const before = await forge.read(SHOP, number);
    assert.match(
      before.kind === "unreachable" ? before.message : "",
      /no App was made.*https:\/\/preview\.acme\.dev\/github\/new/,
    );
    assert.equal(await forge.isCalled?.(), false);
    const form = await setup.begin({ forge: "github" }, SESSION);
    assert.ok(form.hasWebhook);
    assert.ok(form.action.startsWith(`${github.url}/settings/apps/new?state=`));
    const { app } = await setup.finish(await register(form), SESSION);
    assert.equal(app.id, github.app.id);
    assert.equal((await forge.read(SHOP, number)).kind, "found");
    assert.equal(await forge.isCalled?.(), true);
    const hook = github.apps.manifests.at(-1)?.hook_attributes;
    assert.deepEqual(hook, { url: `${HOME}/webhooks/github`, active: true });
    const body = JSON.stringify({ number, repository: { full_name: "acme/shop", id: 1 } });
    const signed = (secret?: string) =>
      forge.verify?.({ headers: signedHeaders("pull_request", body, secret), body: Buffer.from(body) });
    assert.equal((await signed(github.apps.webhookSecret()))?.pullRequest?.number, number);
    await assert.rejects(signed("another secret") ?? Promise.resolve(), { reason: "DeliverySignatureWrong" });
    for (const text of [app.privateKey.split("\n")[2] ?? "", app.clientSecret, app.webhookSecret ?? ""]) {
      assert.ok(text.length > 8 && !JSON.stringify([...kept]).includes(text));
    }
  });

  it("is nobody's who came back with another session, another state, too late, or twice", async () => {
    const { setup, kept, pass } = prepare();
    const form = await setup.begin({ forge: "github" }, SESSION);
    const back = await register(form);
    const refused = { reason: "SetupRefused" };
    await assert.rejects(setup.finish(back, { ...SESSION, csrf: "another session's" }), refused);
    const [body = "", mac = ""] = back.state.split(".");
    const forged = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(body, "base64url").toString()), server: "https://evil.example" }),
    ).toString("base64url");
    for (const state of ["", body, `${body}.`, `${forged}.${mac}`]) {
      await assert.rejects(setup.finish({ ...back, state }, SESSION), refused);
    }
    assert.equal(kept.size, 0);
    await setup.finish(back, SESSION);
    await assert.rejects(setup.finish(back, SESSION), { reason: "CodeNotTaken" });
    const late = await register(await setup.begin({ forge: "github" }, SESSION));
    pass(3_600_001);
    await assert.rejects(setup.finish(late, SESSION), refused);
  });

  it("has no webhook where GitHub cannot call, and the service says that it only asks", async () => {
    const { setup, connect } = prepare({ homeUrl: "http://localhost:4000" });
    const form = await setup.begin({ forge: "github", organization: "acme" }, SESSION);
    assert.equal(form.hasWebhook, false);
    assert.ok(form.action.startsWith(`${github.url}/organizations/acme/settings/apps/new?`));
    await setup.finish(await register(form), SESSION);
    assert.equal(github.apps.owners.at(-1), "acme");
    const made = github.apps.manifests.at(-1);
    assert.deepEqual([made?.hook_attributes, made?.default_events], [undefined, undefined]);
    const forge = await connect();
    assert.equal(await forge.isCalled?.(), false);
    const findings = (await forge.checkConnection?.()) ?? [];
    assert.ok(
      findings.some(({ what }) => /polling only/.test(what)),
      JSON.stringify(findings),
    );
    assert.deepEqual(
      (await forge.check?.(SHOP))?.filter(({ ok }) => !ok),
      [],
    );
  });

  it("is asked as at the server that it was made at and no other, and says so at the start where it only polls", async () => {
    const { setup, kept } = prepare({ homeUrl: "http://localhost:4000" });
    await setup.finish(await register(await setup.begin({ forge: "github" }, SESSION)), SESSION);
    const options = githubForge.options.parse({ baseUrl: "https://ghe.acme.dev/api/v3", app: "manifest" });
    const store = {
      forgeCredential: async (name: string) => kept.get(name),
      keepForgeCredential: async () => {},
      changeForgeCredential: async () => {},
    };
    const read = credentialsFor({ store, token: "the API's token" }, "github");
    const moved = await githubForge.connect(options, { name: "github", homeUrl: HOME, ...read });
    const before = github.requests.length;
    const list = await moved.list(SHOP);
    assert.match(list.kind === "unreachable" ? list.message : "", /its App was made at "http:\/\/127/);
    assert.equal(github.requests.length, before);
    const said: string[] = [];
    const logger = { info: (_about: unknown, words?: string) => void said.push(words ?? "") };
    await sayPolling({ forges: new Map([["github", moved]]), config: { lifecycle: { resyncSeconds: 60 } }, logger });
    assert.deepEqual(said, ['no webhooks come from "github": polling only, every 60 s']);
  });

  it("shows where it is installed, and which repositories it sees", async () => {
    const { setup } = prepare();
    assert.deepEqual(await setup.installed(setup.forges()[0] ?? assert.fail()), {});
    await setup.finish(await register(await setup.begin({ forge: "github" }, SESSION)), SESSION);
    const { installations = [], fault } = await setup.installed(setup.forges()[0] ?? assert.fail());
    assert.equal(fault, undefined);
    assert.deepEqual(installations[0]?.repositories, ["acme/shop", "acme/tools"]);
  });

  it("cannot be opened with another token, and a new one can be made", async () => {
    const { setup, kept } = prepare();
    await setup.finish(await register(await setup.begin({ forge: "github" }, SESSION)), SESSION);
    const [entry] = kept.values();
    const store = {
      forgeCredential: async () => entry,
      keepForgeCredential: async () => {},
      changeForgeCredential: async () => {},
    };
    assert.equal(await credentialsFor({ store, token: "a new token" }, "github").kept(), undefined);
    assert.notEqual(await credentialsFor({ store, token: "the API's token" }, "github").kept(), undefined);
  });

  it("is made at no place that is none", async () => {
    const { setup } = prepare();
    for (const organization of ["a/b", "..", "acme corp", "x".repeat(40), "-acme"]) {
      await assert.rejects(setup.begin({ forge: "github", organization }, SESSION), /organisation/);
    }
    await assert.rejects(setup.begin({ forge: "gitlab" }, SESSION), /no forge "gitlab"/);
    const bare = createGithubSetup({
      config: { forges: [], repositories: [] },
      store: { forgeCredential: async () => undefined, keepForgeCredential: async () => {} },
      token: "t",
      homeUrl: HOME,
      now: () => new Date(),
    });
    for (const server of ["javascript:alert(1)", "https://u:p@ghe.acme.dev", "https://ghe.acme.dev/path", "ghe"]) {
      await assert.rejects(bare.begin({ forge: "github", server }, SESSION), /address of a server/);
    }
    const form = await bare.begin({ forge: "github", server: "https://ghe.acme.dev/" }, SESSION);
    assert.ok(form.action.startsWith("https://ghe.acme.dev/settings/apps/new?"));
  });
});

describe("where GitHub can call", () => {
  const github = "https://github.com";
  for (const [home, fromGithub, fromOwn] of [
    ["https://preview.acme.dev", true, true],
    ["http://localhost:4000", false, false],
    ["http://pr.localhost:4000", false, false],
    ["http://127.0.0.1:4000", false, false],
    ["http://[::1]:4000", false, false],
    ["http://10.1.2.3", false, true],
    ["http://[fd00::1]", false, true],
    ["http://8.8.8.8", true, true],
    ["http://stackling", false, true],
    ["https://preview.corp.internal", false, true],
  ] as const) {
    it(`says ${fromGithub} of ${home}, and ${fromOwn} for a server in the same network`, () => {
      assert.equal(canReach(github, home), fromGithub);
      assert.equal(canReach("https://ghe.acme.dev", home), fromOwn);
    });
  }

  it("names the App after the host, as short as GitHub wants it", () => {
    const wish = { forge: "github", server: github, readyEvent: true };
    const { name, default_permissions } = manifestOf({ ...wish, homeUrl: `https://${"long-".repeat(12)}.acme.dev` });
    assert.ok(String(name).length <= 34);
    assert.equal(Object(default_permissions).contents, "write");
    assert.equal(registrationUrl({ server: github, state: "a b" }), "https://github.com/settings/apps/new?state=a%20b");
    assert.equal(webUrl("https://ghe.acme.dev/api/v3"), "https://ghe.acme.dev");
  });
});
