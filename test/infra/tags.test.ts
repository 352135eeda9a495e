import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CustomResourceOptions } from "@pulumi/pulumi";
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
    // As @pulumi/aws itself hands them over: nested properties of a provider are JSON.
    const written = write("pulumi:providers:aws", { defaultTags: '{"tags":{"own":"1"}}' }) as { defaultTags: string };
    assert.deepEqual(JSON.parse(written.defaultTags), {
      tags: { own: "1", "stackling:preview": "shop-pr-1", "stackling:owner": "Ada Lovelace -ada@example.dev-" },
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

  it("leave it to a vendor's provider what goes before its replacement is made, unless the program said so", () => {
    // The SDK hands a wish that nobody has over as `false`, and what it gets back overrules the provider.
    const wishOf = (type: string, deleteBeforeReplace: boolean) => {
      const opts: CustomResourceOptions = { deleteBeforeReplace };
      const found = tagged({ custom: true, type, name: "x", props: {}, opts }, tags);
      return found && "deleteBeforeReplace" in found.opts ? found.opts.deleteBeforeReplace : undefined;
    };
    for (const type of ["kubernetes:apps/v1:Deployment", "cloudflare:index/dnsRecord:DnsRecord"]) {
      assert.deepEqual([wishOf(type, false), wishOf(type, true)], [undefined, true], type);
    }
  });

  describe("on DNS records", () => {
    const commentOf = (given: Readonly<Record<string, string>>) => {
      const resource = { custom: true, type: "cloudflare:index/dnsRecord:DnsRecord", name: "x", props: {}, opts: {} };
      return Object(tagged(resource, given)?.props).comment;
    };

    it("are a comment that opens with whose it is", () => {
      assert.equal(
        commentOf({ ...tags, stack: "shop-pr-1" }),
        "stackling:shop-pr-1 preview=shop-pr-1 owner=Ada Lovelace <ada@example.dev>",
      );
    });

    it("keep the longest stack name and whole tags only within 100 characters", () => {
      const stack = "s".repeat(63);
      const text = commentOf({ a: "x".repeat(40), b: "y".repeat(18), c: "z", stack });
      assert.equal(text, `stackling:${stack} b=${"y".repeat(18)} c=z`);
      assert.ok(text.length <= 100);
    });
  });

  it("leave alone what has no place for them", () => {
    assert.equal(write("random:index/randomPassword:RandomPassword", { length: 8 }), undefined);
    assert.equal(write("stackling:service:Local", {}), undefined);
  });
});
