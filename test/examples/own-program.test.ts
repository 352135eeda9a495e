import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runtime } from "@pulumi/pulumi";

interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: stage
contexts: [{name: stage, context: {cluster: stage, user: me}}]
clusters: [{name: stage, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: hush}}]
`;

/** Where the package's exports lead, in a clone that has no \`dist/\`. */
const resolveOwnPackage = () =>
  registerHooks({
    resolve: (specifier, context, next) => {
      const [, path] = /^stackling\/((?:components|infra)\/.+)$/.exec(specifier) ?? [];
      return next(path === undefined ? specifier : new URL(`../../${path}.ts`, import.meta.url).href, context);
    },
  });

describe("the example of a program of one's own", () => {
  const declared: Declared[] = [];
  let folder: string;
  let outputs: { readonly hosts: { apply(take: (value: unknown) => void): unknown } };
  let hooks: ReturnType<typeof registerHooks>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-own-program-"));
    await writeFile(join(folder, "config"), KUBECONFIG);
    process.env.DNS_TOKEN = "a-token-that-is-never-used";
    hooks = resolveOwnPackage();
    await runtime.setMocks(
      {
        call: () => ({}),
        newResource: ({ type, name, inputs, id }) => {
          declared.push({ type, name, inputs });
          return { id: id ?? `${name}-id`, state: inputs };
        },
      },
      "own-program",
      "stage",
      true,
    );
    runtime.setAllConfig({
      "own-program:kubeconfig": join(folder, "config"),
      "own-program:zone": "023e105f4ecef8ad9ca31a8372d0c353",
      "own-program:image": `registry.acme.dev/shop@sha256:${"0".repeat(64)}`,
    });
    outputs = await import("../../examples/own-program/index.ts");
    await runtime.disconnect();
  });
  after(async () => {
    hooks.deregister();
    delete process.env.DNS_TOKEN;
    await rm(folder, { recursive: true, force: true });
  });

  const one = (type: string) => {
    const found = declared.filter((resource) => resource.type === type);
    assert.equal(found.length, 1, type);
    return found[0]?.inputs ?? {};
  };

  it("previews a deployment of its image in a namespace of its own, asking no cluster", () => {
    const deployment = JSON.stringify(one("kubernetes:apps/v1:Deployment"));
    assert.match(deployment, /registry\.acme\.dev\/shop@sha256:0{64}/);
    assert.match(deployment, /"\/health"/);
    assert.match(JSON.stringify(one("kubernetes:core/v1:Namespace")), /preview-shop-stage/);
  });

  it("previews the record of its host", async () => {
    assert.equal(one("cloudflare:index/dnsRecord:DnsRecord").name, "stage.acme.dev");
    const hosts = await new Promise((resolve) => outputs.hosts.apply(resolve));
    assert.deepEqual(hosts, ["stage.acme.dev"]);
  });

  it("is made of two components, each with a provider of its own", () => {
    const components = declared.filter(({ type }) => type.startsWith("stackling:"));
    assert.deepEqual(components.map(({ type }) => type).sort(), [
      "stackling:dns:Cloudflare",
      "stackling:service:Kubernetes",
    ]);
    for (const vendor of ["kubernetes", "cloudflare"]) one(`pulumi:providers:${vendor}`);
  });
});
