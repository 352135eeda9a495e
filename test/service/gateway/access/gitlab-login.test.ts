/** Logins at GitLab, over the shapes of its docs: its OAuth provider, and its API as our own token is answered. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { forgeDoor } from "../../../../service/gateway/access/forge.ts";
import { forgeKinds } from "../../../../service/gateway/access/forge-kinds.ts";
import { startGitlab, type TestGitlab } from "../../../support/gitlab/gitlab-server.ts";
import { startUpstream } from "../edge.ts";

const CALLBACK = "http://localhost:4000/auth/callback";
const visitor = { address: "127.0.0.1", host: "pr-42-site.localhost", repository: "site" };

describe("a login at GitLab", () => {
  let gitlab: TestGitlab;
  let oauth: Awaited<ReturnType<typeof startUpstream>>;
  /** What came to the token's address, and how it is answered instead. */
  let sent = new URLSearchParams();
  let refusal: { readonly status: number; readonly error: string } | undefined;
  let people: Awaited<ReturnType<TestGitlab["connect"]>>["people"];

  before(async () => {
    gitlab = await startGitlab({ files: { "README.md": "shop\n" } });
    ({ people } = await gitlab.connect());
    oauth = await startUpstream(async (request, response) => {
      response.setHeader("Content-Type", "application/json");
      if (request.url === "/oauth/token") {
        let body = "";
        for await (const chunk of request) body += String(chunk);
        sent = new URLSearchParams(body);
        response.statusCode = refusal?.status ?? 200;
        response.end(JSON.stringify(refusal ?? { access_token: sent.get("code"), token_type: "Bearer" }));
        return;
      }
      const username = request.headers.authorization?.replace("Bearer ", "");
      response.end(JSON.stringify(request.url === "/api/v4/user" ? { id: 3, username } : {}));
    });
  });
  after(() => Promise.all([oauth.close(), gitlab.stop()]));

  function door(needs: "read" | "write") {
    const server = forgeKinds.gitlab.serverOf({ url: `http://${oauth.address}/` });
    assert.ok(server);
    const place = { path: gitlab.path, ...server, kind: forgeKinds.gitlab, people: () => people };
    const deps = { secret: async () => "s3cret", digest: (text: string) => text, placeOf: () => place };
    const { signsIn } = forgeDoor(
      { ...deps, forgeLabel: "GitLab" },
      { clientId: "stackling", clientSecret: { env: "S" }, needs },
    );
    assert.ok(signsIn);
    return signsIn;
  }
  async function opensTo(who: string, needs: "read" | "write" = "read"): Promise<boolean> {
    const { kept } = await door(needs).begin({ callback: CALLBACK, state: "s" }, visitor);
    return door(needs).finish(new URL(`${CALLBACK}?code=${who}&state=s`), { ...kept, state: "s" }, visitor);
  }

  it("asks for a name alone, and proves that who comes back began it", async () => {
    const { url, kept } = await door("read").begin({ callback: CALLBACK, state: "s" }, visitor);
    const { pathname, searchParams } = new URL(url);
    assert.equal(pathname, "/oauth/authorize");
    const { code_challenge: challenge, ...asked } = Object.fromEntries(searchParams);
    assert.deepEqual(asked, {
      client_id: "stackling",
      redirect_uri: CALLBACK,
      response_type: "code",
      state: "s",
      scope: "read_user",
      code_challenge_method: "S256",
    });
    await door("read").finish(new URL(`${CALLBACK}?code=ada&state=s`), { ...kept, state: "s" }, visitor);
    const { code_verifier: verifier = "", ...given } = Object.fromEntries(sent);
    assert.equal(createHash("sha256").update(verifier).digest("base64url"), challenge);
    assert.deepEqual(given, {
      grant_type: "authorization_code",
      client_id: "stackling",
      client_secret: "s3cret",
      code: "ada",
      redirect_uri: CALLBACK,
    });
  });

  it("opens to members who may read the code, and where that is asked for to those alone who may write it", async () => {
    assert.equal(await opensTo("ada"), true);
    assert.equal(await opensTo("ada", "write"), true);
    // A guest sees the project and none of its code.
    assert.equal(await opensTo("guest"), false);
    assert.equal(await opensTo("mallory"), false);
    assert.equal(await opensTo("nobody"), false);
  });

  it("opens to nobody by a code that was used, and says so of another refusal", async () => {
    refusal = { status: 400, error: "invalid_grant" };
    assert.equal(await opensTo("ada"), false);
    refusal = { status: 401, error: "invalid_client" };
    await assert.rejects(opensTo("ada"), /refuses the login: "invalid_client"/);
    refusal = undefined;
  });
});
