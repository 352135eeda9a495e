import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseOperator } from "../../../service/config/operator.ts";

const at = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/var/lib/stackling" };
const parse = (text: string) => parseOperator(`repositories: [{path: acme/shop}]\n${text}`, at);
const GITHUB = "forges: {github: {token: {env: GITHUB_TOKEN}}}\n";

describe("login to the pages in stackling.yaml", () => {
  it("is at the only forge with logins unless another is named, with its secret beside the file", async () => {
    const { dashboard } = await parse(
      `${GITHUB}dashboard: {login: {forge: {clientId: a, clientSecret: {file: secret}}}, roles: {admin: [ada]}}`,
    );
    assert.deepEqual(dashboard, {
      login: {
        kind: "forge",
        forge: "github",
        clientId: "a",
        clientSecret: { file: "/etc/stackling/secret" },
      },
      roles: { admin: ["ada"] },
    });
    assert.equal((await parse(GITHUB)).dashboard, undefined);
  });

  it("may be at a GitLab or Gitea, too", async () => {
    const login = "dashboard: {login: {forge: {clientId: a, clientSecret: {env: S}, scope: openid}}}";
    for (const forge of ["gitlab: {token: {env: T}}", "gitea: {url: https://git.acme.dev, token: {env: T}}"]) {
      const { dashboard } = await parse(`forges: {${forge}}\n${login}`);
      assert.ok(dashboard?.login.kind === "forge");
      assert.deepEqual([dashboard.login.forge, dashboard.login.scope], [forge.split(":")[0], "openid"]);
    }
  });

  it("is refused where there is no such forge, and where nobody could do anything", async () => {
    const forge = "dashboard: {login: {forge: {clientId: a, clientSecret: {env: S}}}}";
    await assert.rejects(
      parse(forge),
      /needs a forge that people can log in at \(github, gitlab, gitea\): there is none/,
    );
    const oidc = "dashboard: {login: {oidc: {issuer: 'https://a.example', clientId: a, clientSecret: {env: S}}}}";
    await assert.rejects(parse(oidc), /"dashboard\.roles" must name somebody/);
  });
});
