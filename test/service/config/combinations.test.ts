/** Which drivers go together, asked of the drivers themselves through a whole `stackling.yaml`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const kubernetes = "{driver: kubernetes, kubeconfig: {file: kubeconfig}}";
const direct = "{driver: kubernetes, kubeconfig: inCluster, edge: {direct: {ingressClass: nginx}}}";
const ecs =
  "{driver: ecs, region: eu-central-1, credentials: instance, cluster: previews, subnets: [subnet-0a], securityGroups: [sg-0a], namespace: {id: ns-0a, name: previews.internal}}";
const route53 = "{driver: route53, region: eu-central-1, credentials: instance, zoneId: Z0123456789ABC, mode: records";
const cloudflare = "{driver: cloudflare, zone: 023e105f4ecef8ad9ca31a8372d0c353, apiToken: {env: TOKEN}, mode: records";
const clone = "{driver: clone, server: {env: DATABASES}}";
const neon = "{driver: neon, project: spring-example-302709, apiKey: {env: NEON_API_KEY}, parent: previews}";
const external = "{driver: external, store: vault, key: previews}";
const aws = (region: string) => `{driver: aws, region: ${region}, credentials: instance}`;

async function resolve(target: string) {
  const text = `url: https://preview.acme.dev\nrepositories: [{path: acme/shop}]\ntargets:\n  t: {${target}}\n`;
  const config = await parseOperator(text, { file: "stackling.yaml", directory: "/etc/s", dataDir: "/var/lib/s" });
  return config.targets[0];
}

describe("drivers that go together", () => {
  const right: [string, string, readonly unknown[]][] = [
    [
      "a cluster with databases of a server",
      `service: ${kubernetes}, database: ${clone}`,
      ["images", "wildcard", "local"],
    ],
    [
      "a cluster with its own edge and its store of secrets",
      `service: ${direct}, database: ${clone}, dns: ${cloudflare}}, secrets: ${external}`,
      ["images", "cloudflare", "external"],
    ],
    [
      "ECS with Route 53 and Secrets Manager",
      `service: ${ecs}, database: ${clone}, dns: ${route53}, target: gateway.acme.dev}, secrets: ${aws("eu-central-1")}`,
      ["images", "route53", "aws"],
    ],
    ["a cluster with branches at Neon", `service: ${kubernetes}, database: ${neon}`, ["images", "wildcard", "local"]],
    ["this machine with branches at Neon", `database: ${neon}`, ["source", "gateway", "local"]],
    ["ECS behind a wildcard, without databases", `service: ${ecs}, database: false`, ["images", "wildcard", "local"]],
    [
      "this machine with records at Cloudflare",
      `dns: ${cloudflare}, target: 192.0.2.7}`,
      ["source", "cloudflare", "local"],
    ],
  ];
  for (const strategy of ["empty", "schema", "shared", "{driver: replica, database: staging}"]) {
    right.push([
      `this machine with its own server and ${strategy}`,
      `database: ${strategy}`,
      ["source", "gateway", "local"],
    ]);
  }
  for (const [what, target, expected] of right) {
    it(`are ${what}`, async () => {
      const found = await resolve(target);
      assert.deepEqual([found?.runs, found?.dns.driver, found?.secrets.driver], expected);
    });
  }

  const wrong: readonly [string, string, RegExp][] = [
    [
      "an edge of the cluster's own with hosts that all lead to the gateway",
      `service: ${direct}, database: false, dns: gateway`,
      /"targets\.t\.service": its option "edge" is direct.*choose another dns driver/,
    ],
    [
      "ECS with hosts of this machine",
      `service: ${ecs}, database: false, dns: gateway`,
      /"targets\.t\.service": "ecs" runs elsewhere.*choose "wildcard"/,
    ],
    [
      "ECS with secrets of another region",
      `service: ${ecs}, database: false, secrets: ${aws("us-east-1")}`,
      /"targets\.t\.service": "ecs" reads secrets of its own region only/,
    ],
    [
      "ECS with a cluster's store of secrets",
      `service: ${ecs}, database: false, secrets: ${external}`,
      /"targets\.t\.secrets": "external" refers to a store of the cluster/,
    ],
    [
      "this machine with a cluster's store of secrets",
      `secrets: ${external}`,
      /"targets\.t\.secrets": "external" .*"local" use another/,
    ],
    [
      "records that lead nowhere",
      `service: ${kubernetes}, database: false, dns: ${cloudflare}}`,
      /"targets\.t\.dns": records need a "target"/,
    ],
    [
      "records at Route 53 that lead nowhere",
      `service: ${ecs}, database: false, dns: ${route53}}`,
      /"targets\.t\.dns": records need a "target"/,
    ],
    [
      "a cluster with the databases of this machine",
      `service: ${kubernetes}, database: clone`,
      /"targets\.t\.database" needs "server": the services run elsewhere/,
    ],
    [
      "a database of many without whose rights previews get in it",
      "database: {driver: shared, database: development}",
      /"database" and "role" go together/,
    ],
    ["ECS and no word of databases", `service: ${ecs}`, /"targets\.t" needs a "database"/],
  ];
  for (const [what, target, message] of wrong) {
    it(`are not ${what}`, async () => {
      await assert.rejects(resolve(target), (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.userMessage, message);
        assert.match(error.userMessage, /^stackling\.yaml:4: /, "at the line of the target");
        assert.equal(error.problems.length, 1, error.userMessage);
        return true;
      });
    });
  }
});
