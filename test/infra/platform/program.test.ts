import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { install } from "../../../infra/platform/program.ts";
import { readSettings } from "../../../infra/platform/settings.ts";
import { graphOf } from "./graph.ts";

const common = {
  image: "registry.acme.dev/stackling:0.1.0",
  domain: "preview.acme.dev",
  secrets: { STORE_URL: "postgres://a:hush@db/store" },
};
const kubernetes = {
  kubeconfig: { file: "/etc/kubeconfig" },
  entrance: { ingressClass: "nginx" },
  certificate: { issuer: "letsencrypt-dns" },
};
const aws = {
  account: { region: "eu-central-1", credentials: { profile: "acme" } },
  vpcId: "vpc-1",
  publicSubnetIds: ["subnet-a", "subnet-b"],
  privateSubnetIds: ["subnet-c"],
  zoneId: "Z1",
};

describe("the platform program", () => {
  it("installs on the cluster that its settings name, with two replicas", async () => {
    const settings = readSettings({ ...common, kubernetes });
    const graph = await graphOf(() => install(settings, "comments: false\n"));
    assert.equal(Object(graph.one("kubernetes:apps/v1:Deployment").inputs.spec).replicas, 2);
    assert.equal(graph.one("pulumi:providers:kubernetes").inputs.kubeconfig, "/etc/kubeconfig");
    assert.ok(graph.all.every(({ type }) => !type.startsWith("aws:")));
  });

  it("installs in the account that its settings name", async () => {
    const settings = readSettings({ ...common, aws });
    const graph = await graphOf(() => install(settings, "backend: ${platform.stateUrl}\n"), {
      "aws:acm/certificate:Certificate": {
        domainValidationOptions: [{ resourceRecordName: "n", resourceRecordType: "CNAME", resourceRecordValue: "v" }],
      },
    });
    assert.equal(graph.one("aws:ecs/service:Service").inputs.desiredCount, 2);
    assert.equal(graph.one("pulumi:providers:aws").inputs.profile, "acme");
    assert.ok(graph.all.every(({ type }) => !type.startsWith("kubernetes:")));
  });

  const wrong: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ["no cloud", common, /needs exactly one of "kubernetes" and "aws"/],
    ["two clouds", { ...common, kubernetes, aws }, /needs exactly one of/],
    ["an image that moves", { ...common, kubernetes, image: "acme/stackling:latest" }, /image: must name a version/],
    ["an image of no version", { ...common, kubernetes, image: "acme/stackling" }, /image: must name a version/],
    ["an unknown key", { ...common, kubernetes, replica: 3 }, /replica/],
    ["one subnet", { ...common, aws: { ...aws, publicSubnetIds: ["subnet-a"] } }, /two availability zones/],
    ["previews first", { ...common, kubernetes: { ...kubernetes, previewPriority: 5 } }, /evicted before anything/],
  ];
  for (const [what, settings, message] of wrong) {
    it(`refuses ${what} and says where`, () => {
      assert.throws(() => readSettings(settings), message);
    });
  }

  it("never repeats a value of the settings, for some are secret", () => {
    assert.throws(
      () => readSettings({ ...common, kubernetes, secrets: { "not a name": "hush", EMPTY: "" } }),
      (error: Error) => !error.message.includes("hush") && /EMPTY/.test(error.message),
    );
  });
});
