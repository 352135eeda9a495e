import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseApplication } from "../../../service/config/application.ts";
import { defaultLimits } from "../../../service/config/defaults.ts";
import { parseOperator } from "../../../service/config/operator.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";

const place = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data/stackling" };
const read = (text: string): Promise<OperatorConfig> => parseOperator(text, place);
const operator = (lines: string) => read(`repositories: [{path: ../shop}]\n${lines}`);
const problemsOf = (parsed: Promise<unknown>) =>
  parsed.then(
    () => "",
    (error: unknown) => (error instanceof ConfigError ? error.userMessage : String(error)),
  );

describe("access in stackling.yaml", () => {
  it("is by doors, all of them to be passed, with share links of 30 days at most", async () => {
    const config = await operator(
      'access: {password: {file: preview-password}, ip: [10.0.0.0/8, "2001:db8::/32"], bypass: {env: BYPASS}}',
    );
    assert.deepEqual(config.access, {
      kind: "doors",
      doors: { password: { file: "/etc/stackling/preview-password" }, ip: ["10.0.0.0/8", "2001:db8::/32"] },
      satisfy: "all",
      bypass: { env: "BYPASS" },
      shareSeconds: 30 * 86_400,
    });
  });

  it("is public, or private, or nothing that was said", async () => {
    assert.deepEqual((await operator("access: public")).access, { kind: "public" });
    const closed = { kind: "doors", doors: {}, satisfy: "all", shareSeconds: 30 * 86_400 };
    assert.deepEqual((await operator("access: private")).access, closed);
    assert.equal((await operator("")).access, undefined);
  });

  it("may differ for a repository, and be without share links", async () => {
    const { repositories } = await read(
      "access: public\nrepositories: [{path: ../shop, access: {satisfy: any, ip: [127.0.0.1], openServices: [api], shareLinks: off}}]",
    );
    const [{ access } = {}] = repositories;
    assert.deepEqual(access, {
      kind: "doors",
      doors: { ip: ["127.0.0.1"] },
      satisfy: "any",
      openServices: ["api"],
    });
  });

  it("may be a login, for whom the operator names", async () => {
    const login =
      "{issuer: https://login.acme.dev, clientId: a, clientSecret: {file: s}, allow: {domains: [acme.dev]}}";
    const { access } = await operator(`access: {oidc: ${login}}`);
    assert.deepEqual(access?.kind === "doors" && access.doors.oidc, {
      issuer: "https://login.acme.dev",
      clientId: "a",
      clientSecret: { file: "/etc/stackling/s" },
      allow: { domains: ["acme.dev"] },
    });
    const github = "forges: {github: {token: {env: T}}}\nrepositories: [{path: acme/shop}]\n";
    const { access: byForge } = await read(`${github}access: {forge: {clientId: a, clientSecret: {env: S}}}`);
    assert.deepEqual(byForge?.kind === "doors" && byForge.doors.forge, {
      clientId: "a",
      clientSecret: { env: "S" },
      needs: "read",
    });
    const gitea = "forges: {gitea: {url: https://git.acme.dev, token: {env: T}}}\nrepositories: [{path: acme/shop}]\n";
    const { access: byGitea } = await read(`${gitea}access: {forge: {clientId: a, clientSecret: {env: S}}}`);
    assert.ok(byGitea?.kind === "doors" && byGitea.doors.forge);
    const wrong = {
      "{oidc: {issuer: https://a.dev, clientId: a, clientSecret: {env: S}}}": /allow.*(missing|must)/,
      "{oidc: {issuer: https://a.dev, clientId: a, clientSecret: {env: S}, allow: {}}}": /domains or emails/,
      "{oidc: {issuer: https://a.dev, clientId: a, clientSecret: {env: S}, allow: {domains: ['@acme.dev']}}}":
        /without @/,
      "{oidc: {issuer: https://a.dev, clientId: a, clientSecret: {env: S}, allow: everyone, emailVerified: no}}":
        /emailVerified.*demand/,
      "{oidc: {issuer: http://a.dev, clientId: a, clientSecret: {env: S}, allow: everyone}}": /https:/,
      "{oidc: {issuer: 'http://localhost:x@a.dev/', clientId: a, clientSecret: {env: S}, allow: everyone}}": /https:/,
      "{forge: {clientId: a, clientSecret: {env: S}}}": /its forge "local" has no logins/,
    };
    for (const [typed, expected] of Object.entries(wrong)) {
      assert.match(await problemsOf(operator(`access: ${typed}`)), expected, typed);
    }
  });

  it("names what is no access, network or time, and the line", async () => {
    const cases = {
      "access: pubic": /stackling\.yaml:2: "access" is "pubic".*did you mean "public"/,
      "access: {ip: [10.0.0.0/33]}": /"10\.0\.0\.0\/8"/,
      "access: {ip: [example.com]}": /network/,
      "access: {ip: []}": /at least one/,
      "access: {password: sesame}": /must be a map/,
      "access: {passwort: {env: A}}": /did you mean "password"/,
      "access: {shareLinks: 31d}": /at most 30d/,
      "trustForwarded: [all]": /network/,
    };
    for (const [lines, expected] of Object.entries(cases)) {
      assert.match(await problemsOf(operator(lines)), expected, lines);
    }
  });

  it("is refused where previews are reached past the gateway", async () => {
    const direct = `
targets:
  cloud:
    service: {driver: kubernetes, kubeconfig: inCluster, edge: {direct: {ingressClass: nginx}}}
    database: false
`;
    const url = "url: https://preview.acme.dev\n";
    const found = await problemsOf(operator(`${url}access: private${direct}`));
    assert.match(found, /repository "\/etc\/shop": the target "cloud" has `edge: direct`/, found);
    assert.doesNotMatch(await problemsOf(operator(`${url}access: public${direct}`)), /past the gateway/);
    assert.doesNotMatch(await problemsOf(operator(`${url}${direct}`)), /past the gateway/);
  });
});

describe("access in preview.yaml", () => {
  const application = (access: string) =>
    parseApplication(`services: {web: npm start}\naccess: ${access}\n`, {
      file: "preview.yaml",
      limits: defaultLimits,
    });

  it("shuts further", () => {
    assert.deepEqual(application("{ip: [10.0.0.0/8], shareLinks: false}").access, {
      ip: ["10.0.0.0/8"],
      shareLinks: false,
    });
  });

  it("opens nothing", () => {
    for (const access of [
      "public",
      "{shareLinks: true}",
      "{password: {env: A}}",
      "{bypass: {env: A}}",
      "{satisfy: any}",
    ]) {
      assert.throws(() => application(access), ConfigError, access);
    }
  });
});
