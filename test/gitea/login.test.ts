/** A login at a real Gitea: its own OAuth provider, a person who says yes, and what it lets them do. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Forge } from "../../service/forges/forge.ts";
import { forgeDoor } from "../../service/gateway/access/forge.ts";
import { forgeKinds } from "../../service/gateway/access/forge-kinds.ts";
import { createPageLogin } from "../../service/login/login.ts";
import { createGiteaRepository, type GiteaRepository } from "../support/gitea/gitea-repository.ts";
import { type Gitea, type Login, startGitea } from "../support/gitea/gitealab.ts";
import { requires } from "../support/requires.ts";
import { browserAt } from "./support/gitea-browser.ts";

const DOMAIN = "preview.test";
const CALLBACK = `https://${DOMAIN}/auth/callback`;
const visitor = { address: "127.0.0.1", host: "pr-1-shop.preview.test", repository: "shop" };

describe("a login at a real Gitea", requires("gitea"), () => {
  let gitea: Gitea;
  let shop: GiteaRepository;
  let forge: Forge;
  let client: { readonly clientId: string; readonly clientSecret: { readonly env: string } };
  let clientSecret = "";

  before(async () => {
    gitea = await startGitea();
    shop = await createGiteaRepository(gitea, { name: "shop", files: { "README.md": "shop\n" } });
    await shop.api("PATCH", "/repos/acme/shop", { private: true });
    const scopes = ["write:repository", "write:issue", "read:user", "read:organization"];
    forge = await shop.connect({ token: await gitea.scoped("stackling", scopes) });
    const application = { name: "Stackling", redirect_uris: [CALLBACK], confidential_client: true };
    const made = (await shop.api("POST", "/user/applications/oauth2", application)) as Record<string, string>;
    client = { clientId: made.client_id ?? "", clientSecret: { env: "CLIENT_SECRET" } };
    clientSecret = made.client_secret ?? "";
  });
  after(async () => {
    await shop.remove();
    await gitea.stop();
  });

  /** There as a person, who says yes, and back; through the door or not. */
  async function opensTo(who: Login, needs: "read" | "write"): Promise<boolean> {
    const server = forgeKinds.gitea.serverOf({ url: gitea.url });
    assert.ok(server);
    const place = { path: shop.path, ...server, kind: forgeKinds.gitea, people: () => forge.people };
    const deps = { secret: async () => clientSecret, digest: (text: string) => text, placeOf: () => place };
    const { signsIn } = forgeDoor({ ...deps, forgeLabel: "Gitea" }, { ...client, needs });
    assert.ok(signsIn);
    const { url, kept } = await signsIn.begin({ callback: CALLBACK, state: "a-state" }, visitor);
    const back = await (await browserAt(gitea, who)).consent(url);
    assert.equal(back.searchParams.get("state"), "a-state");
    return signsIn.finish(back, { ...kept, state: "a-state" }, visitor);
  }

  it("opens a door to whom it lets read or write", async () => {
    assert.equal(await opensTo("ada", "write"), true);
    assert.equal(await opensTo("mallory", "read"), false);
  });

  it("makes people on the pages what it lets them do, and lowers them when that is taken", async () => {
    const login = await createPageLogin({
      config: {
        dashboard: { login: { kind: "forge", forge: "home", ...client }, roles: { admin: ["crew/keepers"] } },
        forges: [{ name: "home", kind: "gitea", options: { url: gitea.url } }],
        repositories: [
          { name: "shop", path: shop.path, forge: "home", target: "local", branches: [], secrets: {}, tags: {} },
        ],
        scheme: "https",
        domain: DOMAIN,
      },
      forge: () => forge,
      token: "a token of the test",
      now: () => new Date(),
      onError: (error) => assert.fail(String(error)),
      environment: { CLIENT_SECRET: clientSecret },
    });
    assert.ok(login);
    const signIn = async (who: Login) => {
      const { url, cookie } = await login.begin("/");
      const back = await (await browserAt(gitea, who)).consent(url);
      const headers = { cookie: `${login.cookie.name}=${cookie}` };
      return login.finish({ url: back.pathname + back.search, headers });
    };
    const ada = await signIn("ada");
    assert.ok(ada.kind === "welcome");
    assert.equal(ada.who.name, "@ada");
    assert.deepEqual(ada.rights, { role: "operator", repositories: ["shop"], operates: ["shop"] });
    const mallory = await signIn("mallory");
    assert.ok(mallory.kind === "welcome");
    assert.equal(mallory.rights, undefined);

    await shop.api("POST", "/orgs", { username: "crew" });
    const team = { name: "keepers", permission: "read", units: ["repo.code"] };
    const { id } = (await shop.api("POST", "/orgs/crew/teams", team)) as { readonly id: number };
    await shop.api("PUT", `/teams/${id}/members/stackling`);
    await shop.api("PUT", `/teams/${id}/members/acme`);
    const keeper = await signIn("acme");
    assert.ok(keeper.kind === "welcome");
    assert.deepEqual(keeper.rights, { role: "admin" });
  });
});
