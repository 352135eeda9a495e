import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { it } from "node:test";
import { keyedDigest, padsOf } from "../../../service/baselines/keyed.ts";

it("gives what HMAC gives, for keys of any length", () => {
  for (const length of [0, 32, 64, 65, 200]) {
    const key = Buffer.alloc(length, "k");
    assert.deepEqual(keyedDigest(padsOf(key), "täxt"), createHmac("sha256", key).update("täxt").digest());
  }
});
