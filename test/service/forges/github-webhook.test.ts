import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { verifyDelivery } from "../../../service/forges/github-webhook.ts";

const SECRET = "the webhook's secret";

describe("the bytes of a delivery from GitHub", () => {
  it("are read whole where they are many, with characters across every seam", async () => {
    const text = (shift: string) =>
      `{"a":"${shift}${"€".repeat(600_000)}","number":7,"repository":{"full_name":"acme/shöp"}}`;
    for (const shift of ["", "x", "xx"]) {
      const { pullRequest } = await verifyDelivery([SECRET], signed(Buffer.from(text(shift)), SECRET));
      assert.deepEqual(pullRequest, { repositoryPath: "acme/shöp", number: 7 });
    }
  });

  it("are taken from nobody where they are no text", async () => {
    const delivery = signed(Buffer.from([0x7b, 0xff, 0xfe]), SECRET);
    await assert.rejects(verifyDelivery([SECRET], delivery), { status: 401, reason: "DeliverySignatureWrong" });
  });

  it("are taken from nobody when a secret is empty", async () => {
    const delivery = signed(Buffer.from("{}"), "");
    await assert.rejects(verifyDelivery([""], delivery), { status: 401, reason: "DeliverySignatureWrong" });
  });
});

function signed(body: Buffer, secret: string) {
  const headers = {
    "content-type": "application/json",
    "x-github-event": "pull_request",
    "x-github-delivery": "d-1",
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
  return { headers, body };
}
