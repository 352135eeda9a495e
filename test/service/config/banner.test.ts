import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseApplication } from "../../../service/config/application.ts";
import { defaultLimits } from "../../../service/config/defaults.ts";
import { parseOperator } from "../../../service/config/operator.ts";
import { misfitsOf } from "../../../service/config/target-fit.ts";

const place = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data/stackling" };
const operator = (text: string) => parseOperator(text, place);
const application = (banner: string) =>
  parseApplication(`services: {web: npm start}\nbanner: ${banner}\n`, { file: "preview.yaml", limits: defaultLimits });
const problemsOf = (parsed: Promise<unknown>) =>
  parsed.then(
    () => "",
    (error: unknown) => (error instanceof ConfigError ? error.userMessage : String(error)),
  );

describe("the banner in the config files", () => {
  it("is said for all repositories, for one, and by an application", async () => {
    const config = await operator("banner: false\nrepositories: [{path: a, banner: {off: [/embed]}}, {path: b}]\n");
    assert.equal(config.banner, false);
    assert.deepEqual(
      config.repositories.map(({ banner }) => banner),
      [{ off: ["/embed"] }, undefined],
    );
    assert.equal((await operator("repositories: [{path: a}]\n")).banner, undefined);
    assert.deepEqual(application("{off: [/slides/*]}").banner, { off: ["/slides/*"] });
    assert.equal(application("false").banner, false);
  });

  it("is refused with what is no path, and with more wildcards than can be looked for", async () => {
    const cases = {
      "{off: []}": /at least one path/,
      "{off: [embed]}": /must begin with "\/"/,
      "{off: [/a*b*c*]}": /at most 2 wildcards/,
      "{on: [/a]}": /on/,
      sometimes: /banner/,
    };
    for (const [typed, expected] of Object.entries(cases)) {
      assert.match(await problemsOf(operator(`repositories: [{path: a}]\nbanner: ${typed}\n`)), expected, typed);
      assert.throws(() => application(typed), ConfigError, typed);
    }
  });

  it("is refused where no page passes the gateway, and needs no word where nobody asked for one", async () => {
    const direct = `
url: https://preview.acme.dev
access: public
targets:
  cloud:
    service: {driver: kubernetes, kubeconfig: inCluster, edge: {direct: {ingressClass: nginx}}}
    database: false
`;
    const repository = (banner: string) => problemsOf(operator(`repositories: [{path: ../shop${banner}}]${direct}`));
    assert.match(await repository(", banner: true"), /"\/etc\/shop": the target "cloud" has `edge: direct`.*banner/);
    assert.match(await repository(", banner: {off: [/a]}"), /write `banner: false`/);
    for (const said of ["", ", banner: false"]) assert.doesNotMatch(await repository(said), /banner/);
  });

  it("is a misfit of an application whose target is reached past the gateway", () => {
    const choice = { driver: "x", options: {} };
    const target = { name: "t", runs: "source", service: choice, dns: choice, secrets: choice } as const;
    const past = { ...target, service: { driver: "x", options: { edge: "direct" } } };
    const found = (banner: string, on: typeof past | typeof target) =>
      misfitsOf({ application: application(banner), target: on, repository: { name: "a", path: "/a" }, images: {} });
    assert.match(found("true", past).join(), /asks for a "banner"/);
    assert.deepEqual(found("false", past), []);
    assert.deepEqual(found("{off: [/a]}", target), []);
  });
});
