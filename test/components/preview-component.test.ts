import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { runtime } from "@pulumi/pulumi";
import { PreviewComponent } from "../../components/preview-component.ts";

class Example extends PreviewComponent {
  constructor(name: string) {
    super("stackling:test:Example", name, {});
    this.registerOutputs({});
  }

  child(part: string): string {
    return this.childName(part);
  }
}

describe("a preview component", () => {
  before(() =>
    runtime.setMocks({
      newResource: ({ name, inputs }) => ({ id: name, state: inputs }),
      call: ({ inputs }) => inputs,
    }),
  );

  it("is a resource of our package under its own name", async () => {
    const urn = await new Promise((resolve) => new Example("shop").urn.apply(resolve));
    assert.match(String(urn), /::stackling:test:Example::shop$/);
  });

  it("names children after itself", () => {
    assert.equal(new Example("shop").child("database"), "shop-database");
  });

  for (const name of ["", "Shop", "1shop", "-shop", "shop_1", "shop.1", "shöp", `s${"x".repeat(63)}`, "a\nb"]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      assert.throws(() => new Example(name), /creating stackling:test:Example: name/);
    });
  }

  it("refuses a child's name that breaks the alphabet or the length", () => {
    const shop = new Example("shop");
    for (const part of ["Data", "a b", "", "x".repeat(60)].filter((bad) => bad !== "")) {
      assert.throws(() => shop.child(part), /naming a child of "shop"/);
    }
  });
});
