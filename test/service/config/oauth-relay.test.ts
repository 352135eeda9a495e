import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const place = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data/stackling" };
const relayOf = async (text: string) =>
  (await parseOperator(`repositories: [{path: ../shop, oauthRelay: ${text}}]\n`, place)).repositories[0]?.oauthRelay;

describe("oauthRelay of a repository", () => {
  it("is the authorization endpoints of providers by name", async () => {
    const text = "{github: 'https://github.com/login/oauth/authorize', local-idp: 'http://localhost:9000/authorize'}";
    assert.deepEqual(await relayOf(text), {
      github: "https://github.com/login/oauth/authorize",
      "local-idp": "http://localhost:9000/authorize",
    });
    assert.equal(
      (await parseOperator("repositories: [{path: ../shop}]\n", place)).repositories[0]?.oauthRelay,
      undefined,
    );
  });

  for (const text of [
    "{github: github.com}",
    "{github: 'http://github.com/login'}",
    "{github: 'http://localhost:1@evil.example/'}",
    "{github: 'javascript:alert(1)'}",
    "{Git/Hub: 'https://github.com/'}",
    "true",
  ]) {
    it(`is not ${text}`, async () => {
      await assert.rejects(
        relayOf(text),
        (error) => error instanceof ConfigError && /oauthRelay|name "Git/.test(error.message),
      );
    });
  }

  it("is refused where no preview passes the gateway, through which its logins come back", async () => {
    const target = (edge: string) => `
url: https://preview.acme.dev
access: public
targets:
  cloud: {service: {driver: kubernetes, kubeconfig: inCluster${edge}}, database: false}
repositories: [{path: ../shop, oauthRelay: {github: 'https://github.com/login/oauth/authorize'}}]
`;
    await assert.rejects(
      parseOperator(target(", edge: {direct: {ingressClass: nginx}}"), place),
      (error) =>
        error instanceof ConfigError && /the target "cloud" has `edge: direct`.*oauthRelay/.test(error.message),
    );
    assert.ok((await parseOperator(target(""), place)).repositories[0]?.oauthRelay);
  });
});
