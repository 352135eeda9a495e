import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Moto, startMoto } from "../support/moto.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type World } from "./world/world.ts";

/** A request as KMS takes it: AWS docs, "Making API requests" (JSON 1.1). */
async function kms(url: string, action: string, body: object): Promise<{ KeyMetadata?: { KeyId: string } }> {
  const authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kms/aws4_request";
  const headers = {
    "X-Amz-Target": `TrentService.${action}`,
    "Content-Type": "application/x-amz-json-1.1",
    authorization,
  };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  return text ? JSON.parse(text) : {};
}

describe("a key of AWS in place of a passphrase", requires("engine", "python"), () => {
  let moto: Moto;
  let world: World;

  before(async () => {
    moto = await startMoto();
    const { KeyMetadata } = await kms(moto.url, "CreateKey", {});
    await kms(moto.url, "CreateAlias", { AliasName: "alias/stackling", TargetKeyId: KeyMetadata?.KeyId });
    world = await createWorld({
      secretsProvider: "awskms://alias/stackling?region=us-east-1",
      environment: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_ENDPOINT_URL: moto.url },
    });
  });
  after(async () => {
    await world?.remove();
    await moto?.stop();
  });

  const providerOf = async (stack: string) => {
    const file = join(world.dataDir, "state/.pulumi/stacks/stackling", `${stack}.json`);
    return JSON.parse(await readFile(file, "utf8")).checkpoint.latest.secrets_providers;
  };

  it("encrypts every new stack's secrets, and what a later engine reads", async () => {
    const first = await world.runner();
    for (const stack of ["shop-pr-1", "shop-pr-2"]) {
      await first.up({ spec: spec(stack), secrets: {}, refresh: false, mayBeNew: true, lease: world.lease(stack) });
      const { type, state } = await providerOf(stack);
      assert.deepEqual([type, state.url], ["cloud", "awskms://alias/stackling?region=us-east-1"]);
    }
    const next = await world.runner();
    const stack = "shop-pr-2";
    const again = { spec: spec(stack), secrets: {}, refresh: false, mayBeNew: false, lease: world.lease(stack) };
    assert.deepEqual((await next.up(again)).changes, { same: 5 });
    await next.destroy({ stack, lease: world.lease(stack) });
    assert.deepEqual(await next.remains(stack), []);
  });
});
