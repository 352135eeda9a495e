import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PolicyOptions, type Resource, rules } from "../../../components/policy/rules.ts";

const options: PolicyOptions = {
  level: "mandatory",
  registries: ["ghcr.io/acme", "registry.acme.dev"],
  ceiling: { memoryMiB: 512, cpu: 1 },
};

/** The rules that a resource breaks. */
function broken(resource: Resource, more: Partial<PolicyOptions> = {}): readonly string[] {
  return rules.filter(({ check }) => check(resource, { ...options, ...more }) !== undefined).map(({ name }) => name);
}

const labels = { "stackling.dev/preview": "shop-1" };
const pod = (container: object, spec: object = {}) => ({
  containers: [{ name: "web", image: "ghcr.io/acme/shop@sha256:0", ...container }],
  ...spec,
});
const deployment = (container: object, spec: object = {}): Resource => ({
  type: "kubernetes:apps/v1:Deployment",
  props: { metadata: { labels }, spec: { template: { spec: pod(container, spec) } } },
});
const task = (container: object, size: object = {}): Resource => ({
  type: "aws:ecs/taskDefinition:TaskDefinition",
  props: {
    cpu: "512",
    memory: "512",
    ...size,
    containerDefinitions: JSON.stringify([{ name: "web", image: "ghcr.io/acme/shop:1", ...container }]),
  },
});

const table: readonly (readonly [string, Resource, readonly string[]])[] = [
  ["a container that keeps to everything", deployment({ resources: { limits: { memory: "512Mi", cpu: "1" } } }), []],
  ["a privileged container", deployment({ securityContext: { privileged: true } }), ["no-privileged-pods"]],
  [
    "one that may gain privileges",
    deployment({ securityContext: { allowPrivilegeEscalation: true } }),
    ["no-privileged-pods"],
  ],
  [
    "one that adds capabilities",
    deployment({ securityContext: { capabilities: { add: ["NET_ADMIN"] } } }),
    ["no-privileged-pods"],
  ],
  ["root by its pod", deployment({}, { securityContext: { runAsUser: 0 } }), ["no-privileged-pods"]],
  ["the node's network", deployment({}, { hostNetwork: true }), ["no-privileged-pods"]],
  [
    "a folder of the node",
    deployment({}, { volumes: [{ name: "x", hostPath: { path: "/" } }] }),
    ["no-privileged-pods"],
  ],
  [
    "a greedy init container",
    deployment({}, { initContainers: [{ name: "m", resources: { limits: { memory: "1Gi" } } }] }),
    ["sizes-under-the-ceiling"],
  ],
  ["too much memory", deployment({ resources: { limits: { memory: "513Mi" } } }), ["sizes-under-the-ceiling"]],
  ["too much CPU", deployment({ resources: { limits: { cpu: "1500m" } } }), ["sizes-under-the-ceiling"]],
  ["an image from elsewhere", deployment({ image: "docker.io/library/nginx" }), ["only-listed-registries"]],
  ["an image of a namesake", deployment({ image: "ghcr.io/acme-evil/shop" }), ["only-listed-registries"]],
  ["an image of a listed host", deployment({ image: "registry.acme.dev/any/thing:1" }), []],
  [
    "a cron job's privileged pod",
    {
      type: "kubernetes:batch/v1:CronJob",
      props: {
        metadata: { labels },
        spec: { jobTemplate: { spec: { template: { spec: pod({ securityContext: { privileged: true } }) } } } },
      },
    },
    ["no-privileged-pods"],
  ],
  ["an unlabelled namespace", { type: "kubernetes:core/v1:Namespace", props: {} }, ["tags-present"]],
  [
    "a Service of type LoadBalancer",
    { type: "kubernetes:core/v1:Service", props: { metadata: { labels }, spec: { type: "LoadBalancer" } } },
    ["nothing-dear-per-preview"],
  ],
  ["an ECS task that fits", task({}), []],
  ["an ECS task from elsewhere", task({ image: "nginx" }), ["only-listed-registries"]],
  ["a privileged ECS container", task({ privileged: true }), ["no-privileged-pods"]],
  ["an ECS task that is too large", task({}, { memory: "1024" }), ["sizes-under-the-ceiling"]],
  ["an AWS provider without default tags", { type: "pulumi:providers:aws", props: {} }, ["tags-present"]],
  [
    "one with them, as the engine has them",
    { type: "pulumi:providers:aws", props: { defaultTags: '{"tags":{"stackling:preview":"shop#1"}}' } },
    [],
  ],
  ["a public bucket", { type: "aws:s3/bucketAcl:BucketAcl", props: { acl: "public-read" } }, ["no-public-bucket"]],
  [
    "a bucket whose block is lifted",
    { type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", props: { blockPublicAcls: false } },
    ["no-public-bucket"],
  ],
  ["a private bucket", { type: "aws:s3/bucket:Bucket", props: { acl: "private" } }, []],
  [
    "a public database instance",
    { type: "aws:rds/instance:Instance", props: { publiclyAccessible: true } },
    ["no-public-database", "nothing-dear-per-preview"],
  ],
  ["a load balancer", { type: "aws:lb/loadBalancer:LoadBalancer", props: {} }, ["nothing-dear-per-preview"]],
  [
    "an instance of an Aurora clone that scales with its use",
    { type: "aws:rds/clusterInstance:ClusterInstance", props: { instanceClass: "db.serverless" } },
    [],
  ],
  [
    "a DNS record of somebody's",
    { type: "cloudflare:index/dnsRecord:DnsRecord", props: { comment: "mail" } },
    ["tags-present"],
  ],
  [
    "a service of this machine that is too large",
    {
      type: "stackling:local:Service",
      props: { tags: { preview: "shop#1" }, service: { name: "web", memoryMiB: 600, cpu: 1 } },
    },
    ["sizes-under-the-ceiling"],
  ],
  ["a resource of no known vendor", { type: "random:index/randomPassword:RandomPassword", props: {} }, []],
];

describe("the policy pack's rules", () => {
  for (const [what, resource, expected] of table) {
    it(`${expected.length > 0 ? `find ${expected.join(" and ")} broken by` : "let pass"} ${what}`, () => {
      assert.deepEqual(broken(resource), expected);
    });
  }

  it("let images come from anywhere, in any size, where the operator set no limits", () => {
    const greedy = deployment({ image: "nginx", resources: { limits: { memory: "64Gi", cpu: "32" } } });
    const { registries: _, ceiling: __, ...bare } = options;
    assert.deepEqual(
      rules.filter(({ check }) => check(greedy, bare) !== undefined),
      [],
    );
  });
});
