/** What services are given of feature flags, as OpenFeature's providers read it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flagFile, flagVariable, flagVariables } from "../../components/service/flags.ts";

const FLAGS = {
  "new-checkout": { value: true, default: false },
  "page.size": { value: 50, default: 20, values: [20, 50, 100] },
  theme: { value: "dark", default: "light" },
};

describe("feature flags", () => {
  it("are variables named as they are", () => {
    assert.deepEqual(flagVariables(FLAGS), {
      FLAG_NEW_CHECKOUT: "true",
      FLAG_PAGE_SIZE: "50",
      FLAG_THEME: "dark",
    });
    assert.equal(flagVariable("newCheckout"), "FLAG_NEWCHECKOUT");
  });

  it("are flagd's definitions, with the value in effect as the default variant", () => {
    const { $schema, flags } = JSON.parse(flagFile(FLAGS));
    assert.equal($schema, "https://flagd.dev/schema/v0/flags.json");
    assert.deepEqual(flags, {
      "new-checkout": { state: "ENABLED", variants: { true: true, false: false }, defaultVariant: "true" },
      "page.size": { state: "ENABLED", variants: { 20: 20, 50: 50, 100: 100 }, defaultVariant: "50" },
      theme: { state: "ENABLED", variants: { light: "light", dark: "dark" }, defaultVariant: "dark" },
    });
  });

  it("have their defaultVariant among their variants, whatever they are", () => {
    const odd = { a: { value: "__proto__", default: "constructor" }, constructor: { value: 1.5, default: -2 } };
    for (const { variants, defaultVariant } of Object.values<{ variants: object; defaultVariant: string }>(
      JSON.parse(flagFile(odd)).flags,
    )) {
      assert.ok(Object.hasOwn(variants, defaultVariant), defaultVariant);
    }
  });
});
