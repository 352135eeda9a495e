import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tagged } from "../../infra/tags.ts";

const tags = { preview: "shop-pr-1", owner: "Ada Lovelace <ada@example.dev>" };

function write(type: string, props: object): unknown {
  return tagged({ custom: true, type, name: "x", props, opts: {} }, tags)?.props;
}

describe("tags", () => {
  it("are plain on local resources, beside the resource's own", () => {
    assert.deepEqual(write("stackling:local:Service", { port: 1, tags: { own: "1", preview: "forged" } }), {
      port: 1,
      tags: { own: "1", ...tags },
    });
  });

  it("are default tags of the AWS provider in its alphabet, so that every resource that can have them has them", () => {
    assert.deepEqual(write("pulumi:providers:aws", { region: "eu-central-1", defaultTags: { tags: { own: "1" } } }), {
      region: "eu-central-1",
      defaultTags: {
        tags: { own: "1", "stackling:preview": "shop-pr-1", "stackling:owner": "Ada Lovelace -ada@example.dev-" },
      },
    });
  });

  it("are labels in Kubernetes' alphabet and annotations in full", () => {
    assert.deepEqual(write("kubernetes:apps/v1:Deployment", { metadata: { name: "web", labels: { app: "web" } } }), {
      metadata: {
        name: "web",
        labels: {
          app: "web",
          "stackling.dev/preview": "shop-pr-1",
          "stackling.dev/owner": "Ada-Lovelace-ada-example.dev",
        },
        annotations: { "stackling.dev/preview": "shop-pr-1", "stackling.dev/owner": tags.owner },
      },
    });
  });

  it("are a comment of at most 100 characters on DNS records", () => {
    const { comment } = write("cloudflare:index/dnsRecord:DnsRecord", { name: "x" }) as { comment: string };
    assert.match(comment, /^preview=shop-pr-1 owner=/);
    assert.ok(comment.length <= 100);
  });

  it("leave alone what has no place for them", () => {
    assert.equal(write("random:index/randomPassword:RandomPassword", { length: 8 }), undefined);
    assert.equal(write("stackling:service:Local", {}), undefined);
  });
});
