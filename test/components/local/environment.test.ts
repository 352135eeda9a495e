import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { baseEnvironment, networkEnvironment } from "../../../components/local/environment.ts";
import { layout } from "../../../components/local/layout.ts";

describe("the environment of an application", () => {
  it("has a proxy without credentials and never one with", () => {
    const given = {
      HTTPS_PROXY: "http://proxy:3128",
      HTTP_PROXY: "ada:hunter22@proxy:3128",
      http_proxy: "http://a:b@p",
    };
    assert.deepEqual(networkEnvironment(given), { HTTPS_PROXY: "http://proxy:3128" });
    const preview = layout("/data").preview("shop-pr-1");
    assert.equal(baseEnvironment({ stack: "shop-pr-1", preview, node: "/n" }, given).HTTP_PROXY, undefined);
  });
});
