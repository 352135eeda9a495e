/** GitLab's side of OAuth 2 in the shapes of its docs: consent, codes that work once, refresh tokens that work once. */
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export const APPLICATION = { id: "the-application", secret: "its secret" };

export interface TestGitlabOauth {
  readonly url: string;
  /** Says yes at the consent page's address; where the browser is led then. */
  consent(authorizeUrl: string): Promise<string>;
  /** Access tokens that are good now. */
  readonly good: ReadonlySet<string>;
  readonly exchanges: readonly string[];
  /** Answers so in place of an exchange. */
  instead: { readonly status: number; readonly body: string } | undefined;
  stop(): Promise<void>;
}

export async function startGitlabOauth(): Promise<TestGitlabOauth> {
  const codes = new Map<string, { readonly challenge: string; readonly redirectUri: string }>();
  const refreshTokens = new Set<string>();
  const good = new Set<string>();
  const exchanges: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const url = new URL(request.url ?? "/", "http://gitlab.test");
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (url.pathname === "/oauth/authorize") {
      const code = randomUUID();
      const redirectUri = url.searchParams.get("redirect_uri") ?? "";
      codes.set(code, { challenge: url.searchParams.get("code_challenge") ?? "", redirectUri });
      const back = new URL(redirectUri);
      back.searchParams.set("code", code);
      back.searchParams.set("state", url.searchParams.get("state") ?? "");
      response.writeHead(302, { location: back.href }).end();
      return;
    }
    if (request.method !== "POST" || url.pathname !== "/oauth/token") return json(404, {});
    const form = new URLSearchParams(text);
    exchanges.push(form.get("grant_type") ?? "");
    if (test.instead) return response.writeHead(test.instead.status).end(test.instead.body);
    if (form.get("client_id") !== APPLICATION.id || form.get("client_secret") !== APPLICATION.secret) {
      return json(401, { error: "invalid_client" });
    }
    if (!isGranted(form))
      return json(400, { error: "invalid_grant", error_description: "<script>it was used</script>" });
    const [access_token, refresh_token] = [randomUUID(), randomUUID()];
    good.clear();
    good.add(access_token);
    refreshTokens.add(refresh_token);
    return json(200, {
      access_token,
      refresh_token,
      token_type: "Bearer",
      expires_in: 7_200,
      created_at: 0,
      scope: "api",
    });
  });
  function isGranted(form: URLSearchParams): boolean {
    if (form.get("grant_type") === "refresh_token") return refreshTokens.delete(form.get("refresh_token") ?? "");
    const found = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const proof = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    return found !== undefined && found.challenge === proof && found.redirectUri === form.get("redirect_uri");
  }
  server.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const test: TestGitlabOauth = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async consent(authorizeUrl) {
      const answer = await fetch(authorizeUrl, { redirect: "manual" });
      return answer.headers.get("location") ?? "";
    },
    good,
    exchanges,
    instead: undefined,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return test;
}
