import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { grantedValues } from "../../service/granted-secrets.ts";
import { spec } from "../infra/world/world.ts";

process.env.STACKLING_TEST_GRANTED = "sk_test";
const repository = { secrets: { STRIPE_KEY: { env: "STACKLING_TEST_GRANTED" } } };

function wish(driver: string, ...grantedSecrets: string[]) {
  const base = spec("shop-pr-1");
  return { ...base, grantedSecrets, target: { ...base.target, secrets: { driver, options: {} } } };
}

describe("granted secrets", () => {
  it("have the values that the configuration refers to", async () => {
    assert.deepEqual(await grantedValues(repository, wish("local", "STRIPE_KEY")), { STRIPE_KEY: "sk_test" });
  });

  it("are refused when the configuration does not name them", async () => {
    await assert.rejects(grantedValues(repository, wish("local", "OTHER_KEY")), {
      reason: "SpecInvalid",
      message: /"OTHER_KEY": the configuration of "shop" does not name it/,
    });
  });

  for (const driver of ["external", "esc"]) {
    it(`need no value where the driver "${driver}" brings them itself`, async () => {
      assert.deepEqual(await grantedValues(repository, wish(driver, "STRIPE_KEY", "OTHER_KEY")), {});
    });
  }
});
